"""The whole of Fieldgate over a shop whose e-mail addresses and telephone numbers are normalised."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from policies.loader import SHOP
from proxy.app import check_all
from proxy.config import Config, altered, load_config
from proxy.demo import prepare
from proxy.errors import FieldgateError
from proxy.terminal import passphrase_of
from tests.integration.stage import Stage, raised
from tests.shell.test_protected import changed, quiet, working

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FOLDED = 'normaliser = ["trim.1", "casefold.1"]'
DIALLED = 'normaliser = "e164.1:DE"'


def declare(datamap: Path, column: str, normaliser: str) -> None:
    """Into the entry of a column of customers, the first that is called so."""
    lines = datamap.read_text(encoding="utf-8").split("\n")
    at = next(n for n, line in enumerate(lines) if line.split(" ")[0] == column)
    lines[at] = lines[at].replace("equality = true", f"equality = true, {normaliser}")
    assert normaliser in lines[at]
    datamap.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    policy = tmp_path_factory.mktemp("normalised") / "policy"
    shutil.copytree(SHOP, policy)
    declare(policy / "datamap.toml", "email", FOLDED)
    declare(policy / "datamap.toml", "phone", DIALLED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prepare, "SHOP", policy)
        with raised() as made:
            yield made


@pytest.fixture
def config(stage: Stage) -> Config:
    loaded = load_config(stage.folder.config)
    return altered(loaded, listener=altered(loaded.listener, port=0), admin=None)


def addresses(stage: Stage) -> dict[int, str]:
    with stage.connect("management") as connection:
        return dict(connection.execute("SELECT id, email FROM customers").fetchall())


def other_spelling(email: str) -> str:
    return f" {email.swapcase()}\u00a0"


def test_a_value_is_found_by_any_spelling_and_shown_as_it_was_written(stage: Stage) -> None:
    known = addresses(stage)
    number, email = next(iter(known.items()))
    with stage.connect("management") as connection:
        for asked in (email, other_spelling(email)):
            for query in ("email = %s", "email IN (%s, 'nobody@x')", "email IS NOT DISTINCT FROM %s"):
                for binary in (False, True):
                    cursor = connection.execute(
                        f"SELECT id, email FROM customers WHERE {query}", [asked], binary=binary
                    )
                    assert cursor.fetchall() == [(number, email)]
            literal = connection.execute(f"SELECT id FROM customers WHERE email = '{asked}'")
            assert literal.fetchall() == [(number,)]
        some = sorted(known)[:3]
        found = connection.execute(
            "SELECT id FROM customers WHERE email = ANY(%s) ORDER BY 1", [[other_spelling(known[n]) for n in some]]
        )
        assert [row[0] for row in found] == some
        others = connection.execute("SELECT id FROM customers WHERE email <> %s", [other_spelling(email)])
        assert {row[0] for row in others} == set(known) - {number}


async def test_the_same_through_another_driver_with_prepared_statements(stage: Stage) -> None:
    known = addresses(stage)
    connection = await stage.open("management")
    statement = await connection.prepare("SELECT id FROM customers WHERE email = $1")
    for number, email in list(known.items())[:5]:
        assert await statement.fetchval(other_spelling(email)) == number
    rows = await connection.fetch("SELECT id FROM customers WHERE email = ANY($1::text[])", list(known.values()))
    assert len(rows) == len(known)
    await connection.close()


def test_unique_and_on_conflict_follow_the_normalised_value(stage: Stage) -> None:
    known = addresses(stage)
    (number, email), (other, _) = list(known.items())[:2]
    with stage.connect("management") as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("UPDATE customers SET email = %s WHERE id = %s", [other_spelling(email), other])
        connection.execute("UPDATE customers SET email = %s WHERE id = %s", [other_spelling(email), number])
        assert addresses(stage)[number] == other_spelling(email)
        connection.execute("UPDATE customers SET email = %s WHERE id = %s", [email, number])


def test_telephone_numbers_are_found_however_they_are_written(stage: Stage) -> None:
    with stage.connect("management") as connection:
        number = connection.execute("SELECT min(id) FROM customers").fetchone()
        assert number is not None
        (before,) = connection.execute("SELECT phone FROM customers WHERE id = %s", number).fetchone() or ("",)
        for written in ("030 / 123 45 67", "ask Anna"):
            connection.execute("UPDATE customers SET phone = %s WHERE id = %s", [written, *number])
            same = {"030 / 123 45 67": "+49 (0)30 1234567"}.get(written, written)
            found = connection.execute("SELECT id, phone FROM customers WHERE phone = %s", [same])
            assert found.fetchall() == [(*number, written)]
        assert connection.execute("SELECT id FROM customers WHERE phone = 'ask anna'").fetchall() == []
        connection.execute("UPDATE customers SET phone = %s WHERE id = %s", [before, *number])


def test_catalogs_show_no_check_of_ours(stage: Stage) -> None:
    """Whose name is longer where terms are normalised."""
    with stage.connect("management") as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'customers'::regclass AND contype = 'c'"
        ).fetchall()
    assert rows == []


async def test_a_data_map_that_says_something_else_of_stored_cells_is_refused(stage: Stage, config: Config) -> None:
    datamap, other = stage.folder.policy / "datamap.toml", 'normaliser = "casefold.1"'
    with changed(datamap, FOLDED, other), pytest.raises(FieldgateError, match="other normalisers"):
        await check_all(config, quiet(), passphrase_of(config.keys))
    async with working(config) as worker:
        (old,) = (await worker.readiness()).revisions.values()
        with changed(datamap, FOLDED, other), pytest.raises(FieldgateError, match="other normalisers"):
            await worker.reload(config)
        assert (await worker.readiness()).revisions == {"shop": old}
