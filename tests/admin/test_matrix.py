"""Each role over each route: the table below is the promise, and the policy must make it true."""

from __future__ import annotations

import pytest

from keys.lifecycle import KeyState
from policies.admin_rights import ROLES
from proxy.admin.routes import ROUTES
from proxy.keywork.operation import OperationKind, OperationState, Target
from tests.support.admin_port import Port, running_port
from tests.support.keywork import EMAIL, PASSPORT, SUBJECT, actor, asked

EVERYONE = ROLES
KEYS, SECURITY, DPO = "key-admin", "security-admin", "dpo"
FIELD = f"/v1/fields/shop/{EMAIL}"

# method and path -> roles; {key}, {shred}, {destroy} are filled in below
ALLOWED: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/v1/keys"): EVERYONE,
    ("GET", "/v1/keys/{key}"): EVERYONE,
    ("GET", "/v1/operations"): EVERYONE,
    ("GET", "/v1/operations/{verify}"): EVERYONE,
    ("POST", "/v1/keks/rotate"): frozenset({KEYS}),
    ("POST", "/v1/keks/rewrap"): frozenset({KEYS}),
    ("POST", f"{FIELD}/rotate-data-key"): frozenset({KEYS}),
    ("POST", f"{FIELD}/rotate-term-key"): frozenset({KEYS}),
    ("POST", f"{FIELD}/verify"): frozenset({KEYS, SECURITY}),
    ("POST", f"{FIELD}/seal"): frozenset({KEYS}),
    ("POST", f"{FIELD}/unseal"): frozenset({KEYS}),
    ("POST", "/v1/keys/{retired}/disable"): frozenset({KEYS, SECURITY}),
    ("POST", "/v1/keys/{key}/enable"): frozenset({KEYS}),
    ("POST", "/v1/keys/{key}/destroy"): frozenset({KEYS}),
    ("POST", "/v1/operations/{destroy}/approve"): frozenset({KEYS, SECURITY}),
    ("POST", "/v1/operations/{unseal}/approve"): frozenset({SECURITY, DPO}),
    ("POST", "/v1/operations/{shred}/approve"): frozenset({SECURITY, DPO}),
    ("POST", "/v1/operations/{verify}/pause"): frozenset({KEYS, SECURITY}),
    ("POST", "/v1/operations/{verify}/resume"): frozenset({KEYS, SECURITY}),
    ("POST", "/v1/operations/{verify}/cancel"): frozenset({KEYS, SECURITY}),
    ("POST", "/v1/operations/{shred}/cancel"): frozenset({DPO}),
    ("POST", "/v1/operations/{failed}/retry"): frozenset({KEYS, SECURITY}),
    ("GET", "/v1/escrow"): frozenset({KEYS}),
    ("POST", "/v1/escrow"): frozenset({KEYS}),
    ("POST", "/v1/subjects/shred"): frozenset({DPO}),
}
BODIES = {"/v1/subjects/shred": {"database": "shop", "subject": "customer:99"}}


def test_the_table_names_every_route() -> None:
    def shape(path: str) -> str:
        return path.replace(FIELD, "/v1/fields/{database}/{field}")

    def blind(path: str) -> str:
        return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))

    assert {(m, blind(shape(path))) for m, path in ALLOWED} == {(r.method, blind(r.path)) for r in ROUTES}


@pytest.mark.parametrize("role", [*sorted(ROLES), "no-such-role"])
async def test_each_role_may_do_exactly_this(role: str) -> None:
    for (method, path), allowed in ALLOWED.items():
        async with running_port() as port:
            names = await prepared(port)
            token = await port.token("olga", role) if role == "no-such-role" else await as_person(port, role)
            body = BODIES.get(path)
            if path == "/v1/escrow" and method == "POST":
                body = (await port.desk.service.export(actor("olga"))).model_dump(mode="json")
            said = await port.ask(method, path.format(**names), token, body=body)
            if role in allowed:
                assert said.status in (200, 202), (role, method, path, said.text)
            else:
                assert (said.status, said.problem) == (403, "forbidden"), (role, method, path)


async def as_person(port: Port, role: str) -> str:
    """Somebody with this one role; never one who asked for what is there."""
    person = {"key-admin": "kirill", "security-admin": "pavel", "auditor": "anna", "dpo": "dina"}[role]
    return await port.token(person)


async def prepared(port: Port) -> dict[str, str]:
    """Keys and operations that each route can be tried on."""
    desk, service = port.desk, port.desk.service
    key = await desk.disabled_key(PASSPORT)
    retired = await desk.move(await desk.key_of("public.customers.phone"), KeyState.DECRYPT_ONLY)
    shredder = actor("vera", "dpo")
    shred = await service.request(
        shredder, asked(), OperationKind.SHRED_SUBJECT, Target(database="shop", subject=SUBJECT)
    )
    other = await desk.disabled_key("public.customers.address")
    destroy = await service.request(actor("vera"), asked(), OperationKind.DESTROY_KEY, Target(key_id=other.name))
    place = Target(database="shop", field="public.customers.postal_code")
    unseal = await service.request(actor("vera"), asked(), OperationKind.UNSEAL_FIELD, place)
    verify = await service.request(actor("vera"), asked(), OperationKind.VERIFY, place)
    failed = await service.request(actor("vera"), asked(), OperationKind.VERIFY, place)
    claim = await desk.records.claim(failed.operation_id)
    assert claim is not None
    await desk.records.finish(claim, OperationState.FAILED, "lost")
    made = {"shred": shred, "destroy": destroy, "unseal": unseal, "verify": verify, "failed": failed}
    return {"key": key.name, "retired": retired.name} | {n: str(each.operation_id) for n, each in made.items()}
