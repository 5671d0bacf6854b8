"""The same episodes, said to several speakers at once and in one go; what each of them answered, step by step."""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.adversity.line import Heard

from .episodes import Episode

PATIENCE = 60.0  # seconds without a byte


class Speaker(Protocol):
    """A session: through Fieldgate, or straight to a server."""

    closed: str

    def fileno(self) -> int: ...

    def say(self, data: bytes) -> None: ...

    def receive(self) -> None: ...

    def heard(self) -> list[Heard]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one episode: the messages of each step, up to its ReadyForQuery.  `ended`: why the session is over."""

    steps: tuple[tuple[Heard, ...], ...]
    ended: str = ""

    def of(self, step: int) -> tuple[Heard, ...]:
        return self.steps[step] if step < len(self.steps) else ()


class Table:
    """Sessions that are told the same.  `make` opens them; they are opened anew when one of them has ended."""

    def __init__(self, make: Callable[[], Sequence[Speaker]]) -> None:
        self._make = make
        self._speakers: Sequence[Speaker] = make()

    def ask(self, episodes: Sequence[Episode]) -> list[tuple[Answer, ...]]:
        """One Answer of each speaker for each episode.  What a session that ends has not answered is asked anew."""
        found: list[tuple[Answer, ...]] = []
        while len(found) < len(episodes):
            rest = episodes[len(found) :]
            answers = self._ask(rest)
            found += answers
            if any(speaker.closed for speaker in self._speakers):
                self.renew()
                if not answers:
                    raise AssertionError(f"a new session ends before it answers: {rest[0].text}")
        return found

    def renew(self) -> None:
        self.close()
        self._speakers = self._make()

    def close(self) -> None:
        for speaker in self._speakers:
            speaker.close()

    def _ask(self, episodes: Sequence[Episode]) -> list[tuple[Answer, ...]]:
        messages = [message for episode in episodes for message in episode.messages()]
        data, ready = b"".join(messages), len(messages)
        hearing = [_Hearing(speaker, ready) for speaker in self._speakers]
        for each in hearing:
            each.speaker.say(data)
        while waiting := [each.speaker for each in hearing if not each.done]:
            readable, _, _ = select.select(waiting, [], [], PATIENCE)
            if not readable:
                raise AssertionError("a session does not answer")
            for speaker in readable:
                speaker.receive()
        return _by_episode(episodes, [each.steps for each in hearing], [each.speaker.closed for each in hearing])


class _Hearing:
    """What one speaker says, cut at each ReadyForQuery."""

    def __init__(self, speaker: Speaker, ready: int) -> None:
        self.speaker, self._ready = speaker, ready
        self.steps: list[tuple[Heard, ...]] = []
        self._begun: list[Heard] = []

    @property
    def done(self) -> bool:
        for message in self.speaker.heard():
            self._begun.append(message)
            if message[0] == "Z":
                self.steps.append(tuple(self._begun))
                self._begun = []
        if self.speaker.closed and self._begun:
            self.steps.append(tuple(self._begun))
            self._begun = []
        return len(self.steps) >= self._ready or bool(self.speaker.closed)


def _by_episode(
    episodes: Sequence[Episode], heard: list[list[tuple[Heard, ...]]], ended: list[str]
) -> list[tuple[Answer, ...]]:
    """Whole episodes; and the one in which a session ended."""
    found, at = [], 0
    for episode in episodes:
        end = at + len(episode.steps)
        whole = all(len(steps) >= end for steps in heard)
        found.append(
            tuple(
                Answer(tuple(steps[at:end]), why if len(steps) < end or steps[end - 1][-1][0] != "Z" else "")
                for steps, why in zip(heard, ended, strict=True)
            )
        )
        if not whole or any(answer.ended for answer in found[-1]):
            break
        at = end
    return found
