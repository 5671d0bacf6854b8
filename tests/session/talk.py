"""A conversation written down: what each side sends, and what the other side must get, without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from keys.errors import EnvelopeInvalid
from keys.field import FieldCiphers
from keys.subjects import SubjectCache
from policies.audit.events import decode
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from policies.model import Principal, TableRights, Verb
from proxy.errors import FieldgateError, Refused
from proxy.rows.params import Spend
from proxy.session.commands import Command, RecordAudit
from proxy.session.conversation import Conversation
from proxy.session.searches import too_many
from proxy.session.services import Revision, SessionServices
from proxy.sql.catalog import Catalog, Column, Relation
from proxy.sql.plan import (
    Argument,
    FieldUse,
    Kept,
    OutputAction,
    OutputColumn,
    ScriptPlan,
    SessionEffect,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    ValueSource,
)
from proxy.sql.planner import PlanContext
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND_LIMITS, FRONTEND_LIMITS, HEADER_SIZE, scan

EMAIL = Field("public", "customers", "email", "pd.contact.email", Sealing("a" * 32, LogicalType.TEXT, equality=True))
BIRTHDAY = Field("public", "customers", "birthday", "pd.identity", Sealing("b" * 32, LogicalType.DATE))
CITY = Field("public", "customers", "city", "pd.address.city")
CUSTOMERS_OID = 16400
HEAD = b"\xf9\x67\x01\x01" + b"k" * 8


class PlainCipher:
    """An envelope that anyone can read: head, term, padding and the value, so that transcripts stay readable."""

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        term = self.term(term_input) if term_input is not None else b""
        return HEAD + term + b"n" * 12 + b"t" * 16 + plaintext

    def seal_all(self, plaintexts: Sequence[bytes], term_inputs: Sequence[bytes] | None = None) -> list[bytes]:
        inputs = term_inputs if term_inputs is not None else [None] * len(plaintexts)
        return [self.seal(plain, term_input=given) for plain, given in zip(plaintexts, inputs, strict=True)]

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        if not envelope.startswith(HEAD) or len(envelope) < 56:
            raise EnvelopeInvalid("no envelope")
        return envelope[56:]

    def open_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        return [self.open(envelope) for envelope in envelopes]

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        return [None if e is None else self.open(e, row_key=k) for e, k in zip(envelopes, row_keys, strict=True)]

    def term(self, term_input: bytes, epoch: int | None = None) -> bytes:
        return term_input[:16].ljust(16, b".")

    def tokens(self, inputs: Iterable[bytes], epoch: int | None = None) -> list[bytes]:
        return [each[:4].ljust(4, b".") for each in inputs]


class PlainCiphers:
    def cipher(self, field_id: str) -> PlainCipher:
        return PlainCipher()


class AllRights:
    revision = "r1"

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        return TableRights()

    def rights_key(self, principal: Principal) -> object:
        return principal.roles


def catalog(protected: bool = True, version: int = 1) -> Catalog:
    table = ProtectedTable("public", "customers", {"email": EMAIL, "city": CITY})
    columns = (Column("id", 1, 20, -1, True, True, False), Column("email", 2, 17, -1, False, False, False))
    relation = Relation(CUSTOMERS_OID, "public", "customers", "r", columns, ("id",), table if protected else None)
    DataMap("shop", "shop", {("public", "customers"): table})
    return Catalog(version, "shop", 180000, {CUSTOMERS_OID: relation}, {("public", "customers"): relation})


OPEN_EMAIL = OutputColumn(
    "email", OutputAction.OPEN, EMAIL, relation_oid=CUSTOMERS_OID, attnum=2, type_oid=25, typmod=-1
)
PASS_ID = OutputColumn("id", OutputAction.PASS)
READ_EMAIL = (FieldUse(EMAIL.name, Verb.READ),)


def plain(text: str, **changes: object) -> StatementPlan:
    """A statement that touches nothing protected."""
    values = {"kind": StatementKind.SELECT, "segments": (text.encode(),), "returns_rows": True, **changes}
    return StatementPlan(**values)  # type: ignore[arg-type]


def utility(text: str, effect: SessionEffect, value: str | None = None) -> StatementPlan:
    return plain(text, kind=StatementKind.UTILITY, returns_rows=False, effect=effect, effect_value=value)


def control(text: str, effect: SessionEffect = SessionEffect.NONE) -> StatementPlan:
    return plain(text, kind=StatementKind.TRANSACTION, returns_rows=False, effect=effect)


def keeping(text: str, effect: SessionEffect, name: str, kept: StatementPlan, held: bool = False) -> StatementPlan:
    """PREPARE and DECLARE; `text` plans it again."""
    return replace(utility(text, effect, name), keeps=Kept(kept, text, held=held))


def running(text: str, effect: SessionEffect, name: str, *arguments: Argument) -> StatementPlan:
    """EXECUTE and FETCH."""
    return replace(utility(text, effect, name), arguments=arguments, returns_rows=True)


SELECT_EMAIL = StatementPlan(
    StatementKind.SELECT,
    (b"select id, email from public.customers",),
    outputs=(PASS_ID, OPEN_EMAIL),
    returns_rows=True,
    touches_protected=True,
    uses=READ_EMAIL,
)
BOUND_EMAIL = StatementPlan(
    StatementKind.SELECT,
    (b"select email, id from public.customers",),
    outputs=(replace(OPEN_EMAIL, row_key_output=1),),
    hidden_outputs=1,
    returns_rows=True,
    touches_protected=True,
    uses=READ_EMAIL,
)
FIND_EMAIL = StatementPlan(
    StatementKind.SELECT,
    (b"select id from customers where fg_email_eq = ", 0, b"::pg_catalog.bytea and id > ", 1),
    slots=(
        Slot(SlotKind.TERM, ValueSource(parameter=1), EMAIL),
        Slot(SlotKind.PLAIN, ValueSource(parameter=2)),
    ),
    client_parameters=2,
    parameter_types=((1, 25),),
    outputs=(PASS_ID,),
    returns_rows=True,
    touches_protected=True,
    uses=(FieldUse(EMAIL.name, Verb.FILTER_EQ),),
)
INSERT_CONSTANT = StatementPlan(
    StatementKind.INSERT,
    (b"insert into customers (email) values (", 0, b"::pg_catalog.bytea)"),
    slots=(Slot(SlotKind.CELL, ValueSource(constant=b"ivan@example.org"), EMAIL),),
    touches_protected=True,
    uses=(FieldUse(EMAIL.name, Verb.INSERT),),
)
INSERT_DRAWN = StatementPlan(
    StatementKind.INSERT,
    (b"insert into customers (id, email) values (", 0, b"::pg_catalog.int8, ", 1, b"::pg_catalog.bytea)"),
    slots=(
        Slot(SlotKind.PLAIN, ValueSource(draw=0)),
        Slot(SlotKind.CELL, ValueSource(constant=b"ivan"), EMAIL, row_key=ValueSource(draw=0), row_key_type=20),
    ),
    draws=('"public"."customers_id_seq"',),
    touches_protected=True,
    uses=(FieldUse(EMAIL.name, Verb.INSERT),),
)
INSERT_DAY = StatementPlan(
    StatementKind.INSERT,
    (b"insert into customers (birthday) values (", 0, b"::pg_catalog.bytea)"),
    slots=(Slot(SlotKind.CELL, ValueSource(constant=b"01/02/2000"), BIRTHDAY),),
    touches_protected=True,
    uses=(FieldUse(BIRTHDAY.name, Verb.INSERT),),
)
SELECT_DAY = StatementPlan(
    StatementKind.SELECT,
    (b"select birthday from public.customers",),
    outputs=(OutputColumn("birthday", OutputAction.OPEN, BIRTHDAY, CUSTOMERS_OID, 3, 1082),),
    returns_rows=True,
    touches_protected=True,
    uses=(FieldUse(BIRTHDAY.name, Verb.READ),),
)
REFUSED = StatementPlan(
    StatementKind.SELECT,
    (b"select secret from customers",),
    touches_protected=True,
    refusal=Refused("you may not read public.customers.secret"),
)
PLANS = {
    "select email": SELECT_EMAIL,
    "find email": FIND_EMAIL,
    "insert": INSERT_CONSTANT,
    "insert day": INSERT_DAY,
    "bind day": replace(
        INSERT_DAY,
        slots=(Slot(SlotKind.CELL, ValueSource(parameter=1), BIRTHDAY),),
        client_parameters=1,
        parameter_types=((1, 1082),),
    ),
    "select day": SELECT_DAY,
    "refused": REFUSED,
    "copy t from stdin": plain(
        "copy t from stdin", kind=StatementKind.COPY, returns_rows=False, effect=SessionEffect.TAKES_DATA
    ),
    "deallocate s": utility("deallocate s", SessionEffect.DEALLOCATE, "s"),
    "discard all": utility("discard all", SessionEffect.DISCARD_ALL),
    "prepare s": keeping("prepare s", SessionEffect.PREPARES, "s", plain("select 1")),
    "declare p": keeping("declare p", SessionEffect.DECLARES, "p", plain("")),
    "execute s": running("execute s", SessionEffect.RUNS_STATEMENT, "s"),
    "fetch p": running("fetch p", SessionEffect.RUNS_PORTAL, "p"),
    "set style": utility("set datestyle = 'sql, dmy'", SessionEffect.VALUE_SETTINGS),
    "reset all": utility("reset all", SessionEffect.RESET_ALL),
    "commit": control("commit", SessionEffect.ENDS_TRANSACTION),
    "rollback to a": control("rollback to a", SessionEffect.RETURNS_TO_SAVEPOINT),
    "begin": control("begin"),
    "savepoint a": control("savepoint a"),
    "rollback": control("rollback", SessionEffect.ENDS_TRANSACTION),
    "set path": plain(
        "set search_path = other",
        kind=StatementKind.SETTING,
        returns_rows=False,
        effect=SessionEffect.SEARCH_PATH,
        effect_value="other",
    ),
    "reset purpose": plain(
        "reset fieldgate.purpose",
        kind=StatementKind.SETTING,
        returns_rows=False,
        effect=SessionEffect.FIELDGATE,
        effect_value="fieldgate.purpose",
    ),
    "set local path": utility("set local search_path = x", SessionEffect.SEARCH_PATH),
    "set purpose": plain(
        "set fieldgate.purpose = 'x'",
        kind=StatementKind.SETTING,
        returns_rows=False,
        effect=SessionEffect.FIELDGATE,
        effect_value="fieldgate.purpose=audit",
    ),
}


class TablePlanner:
    """Plans from a table; everything else touches nothing."""

    def __init__(self) -> None:
        self.plans = dict(PLANS)
        self.contexts: list[PlanContext] = []

    def plan_statement(self, text: str, parameter_types: tuple[int, ...], context: PlanContext) -> StatementPlan:
        self.contexts.append(context)
        return self.plans.get(text.strip()) or plain(text)

    def plan_script(self, text: str, context: PlanContext) -> ScriptPlan:
        self.contexts.append(context)
        parts = [part for part in text.split(";") if part.strip()]
        plans = tuple(self.plans.get(part.strip()) or plain(part) for part in parts)
        unchanged = not any(p.rewritten or p.refusal or p.effect is SessionEffect.FIELDGATE or p.opens for p in plans)
        return ScriptPlan(plans, unchanged)


@dataclass
class Talk:
    """`client(...)` and `server(...)` give bytes to the conversation and return what the other side gets."""

    protected: bool = True
    transaction: bytes = b"I"
    audit: bool = True
    durable_at_once: bool = True
    split: bool = False  # one byte at a time
    planner: TablePlanner = field(default_factory=TablePlanner)
    records: list[dict[str, object]] = field(default_factory=list)
    tickets: list[int] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    roles: frozenset[str] = frozenset({"support"})  # of this login, by the policy in force
    unknown_purpose: str = "unheard of"
    keys: dict[str, list[bytes]] = field(default_factory=dict)  # by sequence: values that were drawn

    observing: bool = False  # nothing is in force, everything is observed only
    searches: int = 1_000_000  # values that may still be looked for
    keys_refusal: FieldgateError | None = None  # why keys may not be used now
    ciphers: FieldCiphers = field(default_factory=PlainCiphers)
    secrets: SubjectCache | None = None

    def __post_init__(self) -> None:
        self.revision = Revision(replace(catalog(self.protected), observing=self.observing), AllRights(), self.ciphers)
        services = SessionServices(
            self.planner,
            lambda: self.revision,
            lambda: self.audit,
            self._draw,
            self._identify,
            keys_refusal=lambda: self.keys_refusal,
            searches=self._searches,
            secrets=self.secrets,
        )
        principal = Principal("support", "support", frozenset({"support"}), "shop", "support_service")
        self.conversation = Conversation(services, principal, {}, ("public",), "s1")

    def client(self, *messages: bytes) -> list[bytes]:
        self._give(self.conversation.client_bytes, b"".join(messages))
        self._perform()
        return split_messages(self.conversation.take_to_server(), FRONTEND_LIMITS)

    def server(self, *messages: bytes) -> list[bytes]:
        self._give(self.conversation.server_bytes, b"".join(messages))
        self._perform()
        return self.told()

    def told(self) -> list[bytes]:
        return split_messages(self.conversation.take_to_client(), BACKEND_LIMITS)

    def sent(self) -> list[bytes]:
        return split_messages(self.conversation.take_to_server(), FRONTEND_LIMITS)

    def _identify(self, asked: Principal) -> Principal:
        if asked.purpose == self.unknown_purpose:
            raise Refused("this purpose is not in the register")
        return replace(asked, roles=self.roles)

    def _searches(self, _who: Principal) -> Spend:
        def spend(count: int) -> None:
            if count > self.searches:
                raise too_many(count, 1_000_000)
            self.searches -= count

        return spend

    def _draw(self, sequence: str, count: int) -> list[bytes] | None:
        pool = self.keys.get(sequence, [])
        if len(pool) < count:
            return None
        taken, self.keys[sequence] = pool[:count], pool[count:]
        return taken

    def _give(self, take: object, data: bytes) -> None:
        assert callable(take)
        if not self.split:
            take(data)
            return
        for position in range(len(data)):
            take(data[position : position + 1])

    def _perform(self) -> None:
        for command in self.conversation.take_commands():
            self.commands.append(command)
            if isinstance(command, RecordAudit):
                self.records.append(decode(command.line))
                self.tickets.append(command.ticket)
                if self.durable_at_once:
                    self.conversation.audit_durable(command.ticket)


def split_messages(data: bytes, limits: tuple[int, ...]) -> list[bytes]:
    spans, rest = scan(data, 0, limits)
    assert rest == len(data), "half a message was sent"
    return [data[start:end] for _, start, end in spans]


def tags(messages: list[bytes]) -> str:
    return "".join(chr(m[0]) for m in messages)


def error_of(message: bytes) -> dict[bytes, bytes]:
    assert message[:1] in (b"E", b"N")
    return backend.parse_error_response(message[HEADER_SIZE:])


# -- messages, in short --


def query(text: str) -> bytes:
    return frontend.build_query(text.encode())


def parse(text: str, name: bytes = b"", oids: tuple[int, ...] = ()) -> bytes:
    return frontend.build_parse(name, text.encode(), oids)


def bind(
    *values: bytes | None,
    name: bytes = b"",
    portal: bytes = b"",
    formats: tuple[int, ...] = (),
    results: tuple[int, ...] = (),
) -> bytes:
    return frontend.build_bind(portal, name, formats, values, results)


def execute(portal: bytes = b"", rows: int = 0) -> bytes:
    return frontend.build_execute(portal, rows)


def describe(kind: bytes, name: bytes = b"") -> bytes:
    return frontend.build_describe(b"S" if kind == b"S" else b"P", name)


def close(kind: bytes, name: bytes = b"") -> bytes:
    return frontend.build_close(b"S" if kind == b"S" else b"P", name)


SYNC = frontend.SYNC
FLUSH = frontend.FLUSH
PARSED, BOUND, CLOSED, NO_DATA = b"1\0\0\0\x04", b"2\0\0\0\x04", b"3\0\0\0\x04", b"n\0\0\0\x04"
SUSPENDED = b"s\0\0\0\x04"


def done(tag: str = "SELECT 1") -> bytes:
    return backend.build_command_complete(tag.encode())


def ready(status: bytes = b"I") -> bytes:
    return backend.build_ready_for_query(status)


def row(*values: bytes | None) -> bytes:
    return backend.build_data_row(values)


def status(name: str, value: str) -> bytes:
    return backend.build_parameter_status(name.encode(), value.encode())


def failed(code: bytes = b"22P02", message: bytes = b"bad value", **more: bytes) -> bytes:
    fields = {b"S": b"ERROR", b"V": b"ERROR", b"C": code, b"M": message}
    fields |= {key.encode(): value for key, value in more.items()}
    return backend.build_error_response(fields)


def columns(*names_and_types: tuple[str, int, int, int]) -> bytes:
    """(name, type, table OID, attnum) each."""
    fields = [
        backend.FieldDescription(n.encode(), table, att, oid, -1, -1, 0) for n, oid, table, att in names_and_types
    ]
    return backend.build_row_description(fields)


DAY_COLUMNS = columns(("birthday", 17, CUSTOMERS_OID, 3))
EMAIL_COLUMNS = columns(("id", 20, CUSTOMERS_OID, 1), ("email", 17, CUSTOMERS_OID, 2))


def cell(value: bytes) -> bytes:
    return PlainCipher().seal(value, term_input=value)


def hex_cell(value: bytes) -> bytes:
    return b"\\x" + cell(value).hex().encode()
