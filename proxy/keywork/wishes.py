"""What is asked for, checked against the data maps and the keys as they are: one function for each kind.  Pure.

Nothing is promised by a check here: whoever carries the operation out looks again.  Here people hear at once what
cannot be, and the names of what the operation will hold are worked out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keys.keyring import LEDGER_SLOT
from keys.lifecycle import KeyState, may_follow
from keys.records import KeySnapshot, StoredKey

from .fields import FieldIndex, Place, SealedField
from .operation import OperationKind, Target
from .records import SHARED
from .refusals import Code, Refusal
from .subjects import parse_subject

_OF_FIELDS = frozenset(
    {
        OperationKind.ROTATE_DATA_KEY,
        OperationKind.ROTATE_TERM_KEY,
        OperationKind.VERIFY,
        OperationKind.SEAL_FIELD,
        OperationKind.UNSEAL_FIELD,
    }
)
_TO = {
    OperationKind.DISABLE_KEY: KeyState.DISABLED,
    OperationKind.ENABLE_KEY: KeyState.DECRYPT_ONLY,
    OperationKind.DESTROY_KEY: KeyState.DESTROYED,
}
_ALL_WRAPPINGS = "wrappings"
_ALL_FIELDS = ".*"  # behind a table's name: every sealed field of it, in one pass


@dataclass(frozen=True, slots=True)
class Checked:
    target: Target
    locks: tuple[str, ...]
    not_before: datetime | None = None


def check_wish(
    kind: OperationKind, target: Target, fields: FieldIndex, keys: KeySnapshot, destroy_after: timedelta
) -> Checked:
    """Raises Refusal."""
    if kind in _OF_FIELDS:
        return _of_field(kind, target, fields)
    if kind in _TO:
        return _of_key(kind, target, fields, keys, destroy_after)
    if kind is OperationKind.SHRED_SUBJECT:
        return _of_subject(target, fields)
    return Checked(Target(), (_ALL_WRAPPINGS,))


def _of_field(kind: OperationKind, target: Target, fields: FieldIndex) -> Checked:
    if kind is OperationKind.ROTATE_DATA_KEY and (target.field or "").endswith(_ALL_FIELDS):
        return _of_table(target, fields)
    found = fields.at(Place(target.database or "", target.field or ""))
    wanted = Target(database=found.place.database, field=found.place.field)
    if kind is OperationKind.VERIFY:
        return Checked(wanted, ())
    if kind is OperationKind.ROTATE_DATA_KEY:
        return Checked(wanted, (_lock(found.controller, found.cell_scope),))
    if kind is OperationKind.ROTATE_TERM_KEY:
        if found.term_scope is None:
            raise Refusal(Code.UNKNOWN_FIELD, f"{found.place.field} has no search terms, so no term key to rotate")
        return Checked(wanted, _locks(fields.sharing(found.controller, found.term_scope)))
    return Checked(wanted, (*_locks((found,)), _form(found.place)))


def _of_table(target: Target, fields: FieldIndex) -> Checked:
    found = fields.of_table(target.database or "", (target.field or "").removesuffix(_ALL_FIELDS))
    locks = sorted({_lock(each.controller, each.cell_scope) for each in found})
    return Checked(Target(database=target.database, field=target.field), tuple(locks))


def _of_key(
    kind: OperationKind, target: Target, fields: FieldIndex, keys: KeySnapshot, destroy_after: timedelta
) -> Checked:
    key = find_key(keys, target.key_id or "")
    info, after = key.info, _TO[kind]
    if info.slot == LEDGER_SLOT:
        raise Refusal(Code.WRONG_KEY_STATE, "the key that all rows are verified by has no states")
    enabling_what_works = kind is OperationKind.ENABLE_KEY and info.state is not KeyState.DISABLED
    if enabling_what_works or not may_follow(info.state, after):
        raise Refusal(Code.WRONG_KEY_STATE, f"a key that is {info.state} cannot become {after}: {_instead(info.state)}")
    uses = fields.sharing(info.slot.controller, info.slot.scope)
    place = uses[0].place if len(uses) == 1 else None
    named = Target(key_id=key.name)
    if place is not None:
        named = replace(named, database=place.database, field=place.field)
    early = None
    if kind is OperationKind.DESTROY_KEY:
        early = (key.disabled_at or keys.now) + destroy_after
    return Checked(named, (_lock(info.slot.controller, info.slot.scope), f"key {key.name}"), early)


def _of_subject(target: Target, fields: FieldIndex) -> Checked:
    if not target.subject or not target.database:
        raise Refusal(Code.UNKNOWN_FIELD, "say which subject of which database")
    kind = parse_subject(target.subject).kind
    if kind not in fields.subject_kinds(target.database):
        raise Refusal(
            Code.UNKNOWN_FIELD,
            "no table of this database has subject_keys for subjects of this kind",
        )
    wanted = Target(database=target.database, subject=target.subject)
    forms = (f"{SHARED}{_form(place)}" for place in fields.of_subjects(target.database, kind))
    return Checked(wanted, (f"subject {target.database}/{target.subject}", *forms))


def names_of(target: Target, fields: FieldIndex) -> Target:
    """The target for the records, without what no data map names."""
    database, field = fields.names(target.database, target.field)
    subject = target.subject
    if subject is not None and (database is None or subject.partition(":")[0] not in fields.subject_kinds(database)):
        subject = None
    return replace(target, database=database, field=field, subject=subject)


def find_key(keys: KeySnapshot, key_id: str) -> StoredKey:
    """Raises Refusal."""
    try:
        found = keys.key(bytes.fromhex(key_id))
    except ValueError:
        found = None
    if found is None:
        raise Refusal(Code.UNKNOWN_KEY, "there is no key of this id")
    return found


def _lock(controller: str, scope: str) -> str:
    return f"keys {controller}/{scope}"


def _form(place: Place) -> str:
    """Held alone by who changes the form of a field, and shared by those whom a change in the middle would mislead."""
    return f"form {place.database}/{place.field}"


def _locks(shared: tuple[SealedField, ...]) -> tuple[str, ...]:
    return tuple(sorted({_lock(each.controller, scope) for each in shared for scope in each.scopes}))


def _instead(state: KeyState) -> str:
    return {
        KeyState.PRE_ACTIVE: "it is about to be used",
        KeyState.ACTIVE: "rotate it first",
        KeyState.DECRYPT_ONLY: "disable it first",
        KeyState.DISABLED: "it is disabled already",
        KeyState.DESTROYED: "a destroyed key does not come back",
    }[state]
