"""What search_path is claimed to be where the server does not report it (before 18): what is certain, else nothing."""

from __future__ import annotations

import pytest

from .talk import BOUND, PARSED, SYNC, Talk, bind, done, execute, failed, parse, query, ready

PUBLIC, OTHER = ("public",), ("other",)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def path(talk: Talk) -> tuple[str, ...] | None:
    """Under which path the next statement is planned."""
    talk.client(query("probe"))
    return talk.planner.contexts[-1].search_path


def said(talk: Talk, text: str, *tags: str, status: bytes) -> None:
    """A Query and its answer."""
    talk.client(query(text))
    talk.server(*(done(tag) for tag in tags), ready(status))


@pytest.mark.parametrize(
    ("end", "tag", "expected"),
    [
        ("commit", "COMMIT", OTHER),
        ("commit", "ROLLBACK", PUBLIC),  # the transaction had failed
        ("rollback", "ROLLBACK", PUBLIC),
        ("commit", "PREPARE TRANSACTION", None),
    ],
)
def test_the_tag_says_what_of_a_transaction_stays(talk: Talk, end: str, tag: str, expected: object) -> None:
    said(talk, "begin", "BEGIN", status=b"T")
    said(talk, "set path", "SET", status=b"T")
    said(talk, end, tag, status=b"I")
    assert path(talk) == expected


def batch(*texts: str) -> list[bytes]:
    return [message for text in texts for message in (parse(text), bind(), execute())]


def answered(*tags: str) -> list[bytes]:
    return [message for tag in tags for message in (PARSED, BOUND, done(tag))]


def test_what_comes_behind_the_end_waits_for_its_answer(talk: Talk) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    assert len(talk.client(query("commit"), query("probe"))) == 1
    assert talk.conversation.client_paused
    talk.server(done("COMMIT"), ready())
    assert talk.sent() == [query("probe")]
    assert talk.planner.contexts[-1].search_path == OTHER


def test_what_comes_behind_a_set_that_may_fail_waits_for_its_answer(talk: Talk) -> None:
    assert len(talk.client(query("set path; select boom"), parse("probe"), SYNC)) == 1
    talk.server(done("SET"), failed(b"42703", b"no"), ready())
    assert talk.planner.contexts[-1].search_path is None
    talk = Talk()
    assert len(talk.client(parse("set path"), bind(), execute(), parse("probe"), SYNC, parse("probe"))) == 5


def test_in_the_batch_of_the_end_the_path_is_unknown(talk: Talk) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    talk.client(*batch("commit"), parse("probe"))
    assert talk.planner.contexts[-1].search_path is None


@pytest.mark.parametrize("between", ["savepoint a", "release a"])
def test_a_savepoint_alone_changes_nothing(talk: Talk, between: str) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    said(talk, between, "SAVEPOINT", status=b"T")
    assert path(talk) == OTHER


@pytest.mark.parametrize("between", ["set local path", "rollback to a"])
def test_what_commit_keeps_is_unknown_behind_set_local_and_a_return_to_a_savepoint(talk: Talk, between: str) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    said(talk, between, "SET", status=b"T")
    said(talk, "commit", "COMMIT", status=b"I")
    assert path(talk) is None


def test_a_plain_set_behind_them_is_what_commit_keeps(talk: Talk) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    said(talk, "rollback to a; set path", "ROLLBACK", "SET", status=b"T")
    said(talk, "commit", "COMMIT", status=b"I")
    assert path(talk) == OTHER


def test_a_later_change_stands_on_what_the_end_has_left(talk: Talk) -> None:
    """COMMIT and a further SET under way together; when that SET fails, what COMMIT kept counts."""
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    talk.client(*batch("commit", "set local path"), SYNC)
    talk.server(*answered("COMMIT"), failed(b"42601", b"no"), ready())
    assert path(talk) == OTHER


def test_a_second_transaction_returns_to_what_the_first_has_kept(talk: Talk) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    said(talk, "commit", "COMMIT", status=b"I")
    said(talk, "begin; set local path", "BEGIN", "SET", status=b"T")
    said(talk, "rollback", "ROLLBACK", status=b"I")
    assert path(talk) == OTHER


def test_in_one_batch_too(talk: Talk) -> None:
    said(talk, "begin", "BEGIN", status=b"T")
    talk.client(*batch("set path", "commit", "begin", "set local path"), SYNC)
    talk.server(*answered("SET", "COMMIT", "BEGIN", "SET"), ready(b"T"))
    said(talk, "rollback", "ROLLBACK", status=b"I")
    assert path(talk) == OTHER


def test_a_rollback_outside_of_a_block_claims_nothing(talk: Talk) -> None:
    """Statements such as VACUUM commit what stands before them in a batch, on old servers."""
    for text in ("set path", "rollback"):
        talk.client(parse(text), bind(), execute())
        talk.server(PARSED, BOUND, done("SET" if text == "set path" else "ROLLBACK"))
    talk.client(SYNC)
    talk.server(ready())
    assert path(talk) is None


def test_a_commit_that_fails_claims_nothing(talk: Talk) -> None:
    said(talk, "begin; set path", "BEGIN", "SET", status=b"T")
    talk.client(query("commit"))
    talk.server(failed(b"23505", b"deferred"), ready())
    assert path(talk) is None
