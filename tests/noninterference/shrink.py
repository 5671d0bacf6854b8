"""A statement that differs, made smaller: tokens are left out as long as it still differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proxy.sql.lexer import Tokens, Unlexable

from .compare import broken, difference
from .episodes import Episode
from .talk import Table

TRIES = 400


def shrunk(table: Table, episode: Episode) -> Episode:
    """The same episode with as little of its main statement as still makes a difference."""
    tries = iter(range(TRIES))

    def differs(text: str) -> bool:
        if next(tries, None) is None:
            return False
        asked = _with(episode, text)
        try:
            ((one, other),) = table.ask([asked])
        except AssertionError:  # what is left of the statement waits for something
            table.renew()
            return False
        return bool(difference(asked, one, other) or broken(asked, one))

    return _with(episode, smaller(episode.text, differs))


def smaller(text: str, differs: Callable[[str], bool]) -> str:
    """Runs of tokens are left out, long ones first."""
    size = len(_pieces(text)) // 2
    while size >= 1:
        pieces, at = _pieces(text), 0
        while at < len(pieces):
            tried = pieces[:at] + pieces[at + size :]
            if tried and differs("".join(tried).strip()):
                pieces = tried
            else:
                at += size
        text = "".join(pieces).strip()
        size //= 2
    return text


def _with(episode: Episode, text: str) -> Episode:
    steps = list(episode.steps)
    steps[episode.main] = replace(steps[episode.main], text=text)
    return replace(episode, steps=tuple(steps))


def _pieces(text: str) -> list[str]:
    """Tokens, each with the space behind it."""
    source = text.encode()
    try:
        starts = [token.start for token in Tokens(source).items]
    except Unlexable:
        return text.split(" ")
    ends = [*starts[1:], len(source)]
    return [source[start:end].decode() for start, end in zip(starts, ends, strict=True)]
