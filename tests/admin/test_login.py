"""Who is asking: tokens, certificates, both; and that guessing is slow, quiet and of no use."""

from __future__ import annotations

import ssl
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDict

from proxy.admin import tokens
from proxy.admin.tokens import check_token, make_token
from proxy.config import LimitsConfig
from proxy.demo.certificates import Authority
from proxy.tls import admin_context
from tests.support.admin_port import MemoryTokens, Port, running_port
from tests.support.keywork import EMAIL

VERIFY = f"/v1/fields/shop/{EMAIL}/verify"


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    async with running_port() as made:
        yield made


def altered(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


WRONG: list[tuple[str, Callable[[str], str | None]]] = [
    ("none", lambda t: None),
    ("first of the secret", lambda t: altered(t, 21)),
    ("last of the secret", lambda t: altered(t, len(t) - 2)),
    ("another id", lambda t: "fgt_" + "0" * 16 + t[20:]),
    ("cut off", lambda t: t[:-1]),
    ("longer", lambda t: t + "A"),
    ("no secret", lambda t: t[:21]),
    ("upper case", lambda t: t.upper()),
    ("sql", lambda t: "fgt_'or'1'='1_x"),
    ("a jwt, which is switched off", lambda t: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvbGdhIn0."),
]


@pytest.mark.parametrize(("what", "change"), WRONG, ids=[what for what, _ in WRONG])
async def test_a_wrong_token_is_401_and_says_no_more(
    port: Port, what: str, change: Callable[[str], str | None]
) -> None:
    said = await port.ask("GET", "/v1/keys", change(await port.token("olga")))
    assert said.problem == "unauthenticated" and "detail" not in said.body
    assert said.headers["WWW-Authenticate"].startswith("Bearer")
    if what != "none":
        assert port.desk.sink.told() == [("admin-login-refused", "refused")]


async def test_a_token_ends_by_time_by_revocation_and_with_its_person(port: Port) -> None:
    token = await port.token("olga")
    assert (await port.ask("GET", "/v1/keys", token)).status == 200
    [row] = port.tokens.rows.values()
    await port.tokens.add(replace(row, expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert (await port.ask("GET", "/v1/keys", token)).problem == "unauthenticated"
    await port.tokens.add(row)
    await port.tokens.revoke(row.token_id)
    assert (await port.ask("GET", "/v1/keys", token)).problem == "unauthenticated"
    await port.tokens.add(replace(row, person="nobody"))
    assert (await port.ask("GET", "/v1/keys", token)).problem == "unauthenticated"


async def test_a_token_has_no_more_roles_than_its_person_has_now(port: Port) -> None:
    narrow = await port.token("olga", "security-admin")
    assert (await port.ask("POST", "/v1/keks/rewrap", narrow)).problem == "forbidden"
    wide = await port.token("pavel", "key-admin", "security-admin")
    assert (await port.ask("POST", "/v1/keks/rewrap", wide)).problem == "forbidden"


@pytest.mark.parametrize(
    "header", ["Basic b2xnYTp4", "Bearer", "Bearer  ", "Bearer a b", "bearer\tx", "Token x", "Bearer ümlaut"]
)
async def test_other_schemes_are_not_taken(port: Port, header: str) -> None:
    said = await port.ask("GET", "/v1/keys", headers={"Authorization": header.encode().decode("latin-1")})
    assert said.status in (400, 401)


async def test_two_authorizations_are_refused(port: Port) -> None:
    token = await port.token("olga")
    headers = CIMultiDict([("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")])
    assert (await port.ask("GET", "/v1/keys", headers=headers)).problem in ("invalid-request", "unauthenticated")


async def test_no_header_says_who_or_where_somebody_is(port: Port) -> None:
    for name in ("X-Forwarded-User", "X-Remote-User", "X-SSL-Client-CN", "X-Forwarded-For", "Forwarded"):
        said = await port.ask("GET", "/v1/keys", headers={name: "olga"})
        assert said.problem == "unauthenticated"


async def test_guessing_is_slowed_by_address_whatever_headers_say() -> None:
    limits = LimitsConfig(failed_logins=3)
    async with running_port(limits=limits) as port:
        good = await port.token("olga")
        codes = []
        for number in range(6):
            wrong = altered(good, 21 + number)
            said = await port.ask("GET", "/v1/keys", wrong, headers={"X-Forwarded-For": f"10.0.0.{number}"})
            codes.append(said.problem)
        assert codes == ["unauthenticated"] * 3 + ["too-many-failures"] * 3
        said = await port.ask("GET", "/v1/keys", good)
        assert said.status == 429 and said.headers["Retry-After"] == "60"


async def test_who_works_from_a_known_place_is_not_locked_out_by_others_guesses() -> None:
    async with running_port(limits=LimitsConfig(failed_logins=3)) as port:
        good = await port.token("olga")
        assert (await port.ask("GET", "/v1/keys", good)).status == 200
        for number in range(5):
            await port.ask("GET", "/v1/keys", "fgt_" + f"{number:016x}" + good[20:])
        assert (await port.ask("GET", "/v1/keys", good)).status == 200


async def test_the_table_holds_no_token_and_a_token_is_not_shown_by_repr() -> None:
    shown, row = make_token("olga", frozenset({"auditor"}), "test", datetime.now(UTC))
    assert shown.split("_", 2)[2] not in repr(row) and shown.encode() not in row.secret_hash
    assert len(row.secret_hash) == 32 and len(shown.split("_", 2)[2]) == 43  # 256 bits


async def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the library's own function, and for an unknown id as well: an id cannot be told from the time."""
    compared: list[tuple[bytes, bytes]] = []
    real = tokens.hmac.compare_digest
    monkeypatch.setattr(tokens.hmac, "compare_digest", lambda a, b: (compared.append((a, b)), real(a, b))[1])
    table = MemoryTokens()
    shown, row = make_token("olga", frozenset({"auditor"}), "test", datetime.now(UTC) + timedelta(days=1))
    await table.add(row)
    assert await check_token(shown, table, datetime.now(UTC)) == row
    assert await check_token("fgt_" + "0" * 16 + shown[20:], table, datetime.now(UTC)) is None
    assert len(compared) == 2 and all(len(side) == 32 for pair in compared for side in pair)


async def test_a_known_id_takes_no_longer_than_an_unknown_one() -> None:
    table = MemoryTokens()
    shown, row = make_token("olga", frozenset({"auditor"}), "test", datetime.now(UTC) + timedelta(days=1))
    await table.add(row)
    near, far = altered(shown, len(shown) - 2), "fgt_" + "0" * 16 + shown[20:]
    spent: dict[str, list[float]] = {near: [], far: []}
    for _ in range(2000):
        for token, times in spent.items():
            began = time.perf_counter()
            await check_token(token, table, datetime.now(UTC))
            times.append(time.perf_counter() - began)
    medians = [statistics.median(times) for times in spent.values()]
    assert max(medians) < 3 * min(medians)


class Certified:
    """Certificates of one CA, and the contexts of clients that show them."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "ours")
        self.foreign = Authority(folder / "foreign", "Another CA")
        server = self.authority.server("localhost")
        self.server = admin_context(server.certificate, server.key, self.authority.certificate)

    def client(self, name: str | None, authority: Authority | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if name is not None:
            pair = (authority or self.authority).client(name)
            context.load_cert_chain(pair.certificate, pair.key)
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


async def test_a_certificate_is_a_login(certified: Certified) -> None:
    async with running_port(context=certified.server) as port:
        olga = certified.client("olga.admins.example")
        made = await port.ask("POST", VERIFY, context=olga)
        assert made.body["requested_by"] == "olga" and made.headers["Strict-Transport-Security"]
        assert port.desk.sink.records[0]["via"] == "certificate"
        for context in (certified.client(None), certified.client("stranger.example")):
            assert (await port.ask("GET", "/v1/keys", context=context)).problem == "unauthenticated"


async def test_a_certificate_of_another_authority_ends_the_handshake(certified: Certified) -> None:
    async with running_port(context=certified.server) as port:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, OSError)):
            await port.ask("GET", "/v1/keys", context=certified.client("olga.admins.example", certified.foreign))


async def test_one_person_by_token_and_certificate_is_one_name(certified: Certified) -> None:
    """Who asks with a token and approves with a certificate is still who asked."""
    async with running_port(context=certified.server) as port:
        plain = certified.client(None)
        key = await port.desk.disabled_key()
        token = await port.token("olga")
        made = await port.ask("POST", f"/v1/keys/{key.name}/destroy", token, context=plain)
        approve = f"/v1/operations/{made.body['operation_id']}/approve"
        by_certificate = await port.ask("POST", approve, context=certified.client("olga.admins.example"))
        assert by_certificate.problem == "same-person"
        other = await port.ask("POST", approve, context=certified.client("pavel.admins.example"))
        assert other.body["approved_by"] == "pavel"


async def test_a_token_and_a_certificate_of_two_people_are_nobodys(certified: Certified) -> None:
    async with running_port(context=certified.server) as port:
        token = await port.token("olga")
        pavel, olga = certified.client("pavel.admins.example"), certified.client("olga.admins.example")
        assert (await port.ask("GET", "/v1/keys", token, context=pavel)).problem == "unauthenticated"
        assert (await port.ask("GET", "/v1/keys", token, context=olga)).status == 200
        nobody = certified.client("stranger.example")  # or somebody who was taken out of the people file
        assert (await port.ask("GET", "/v1/keys", token, context=nobody)).problem == "unauthenticated"
        wrong = altered(token, 25)
        assert (await port.ask("GET", "/v1/keys", wrong, context=olga)).problem == "unauthenticated"
