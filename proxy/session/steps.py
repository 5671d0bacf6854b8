"""Execute of a portal whose rows are candidates, in steps: how many must be looked at only the look itself can say.

A step is an Execute and a Flush.  While its answer may call for another one, the client's next message waits: no other
answer can come between them, and the portal is still there.  The answers of all steps are one for the client.
"""

from __future__ import annotations

from proxy.errors import FieldgateError
from proxy.rows.reading import Reading
from proxy.wire import frontend

from .refusals import STAND_IN_PORTAL
from .replies import Reply
from .state import SessionState
from .statements import Portal

_GREATEST = 0x7FFFFFFF
_SUSPENDED = ord("s")


def reading_of(state: SessionState, portal: Portal) -> Reading | None:
    """How far the portal has been read; that stays with the portal.  None: its Bind was refused."""
    if portal.reading is None and portal.sought is not None:
        sought = portal.sought
        portal.reading = Reading(sought.limit, sought.offset, state.services.bounds().bytes)
    return portal.reading


def first_step(state: SessionState, portal: Portal, entry: Reply, name: bytes) -> bytes:
    """The server's messages for the client's Execute of so many rows as the entry says."""
    entry.reading = reading_of(state, portal)
    asked = entry.reading.ask_first(entry.most) if entry.reading is not None else 0
    if not asked:
        return frontend.build_execute(name)
    entry.stepping = name
    state.stepping = state.queue.pushed + 1
    return frontend.build_execute(name, asked) + frontend.FLUSH


def goes_on(state: SessionState, head: Reply, tag: int) -> bool:
    """Whether the server was asked for more, so that the client is not told yet that these were all."""
    name, reading = head.stepping, head.reading
    if name is None or reading is None:
        return False
    if head.broken is not None:
        stand_in(state, head)
        return True
    if tag != _SUSPENDED or reading.satisfied:
        return False
    state.to_server += (frontend.build_execute(name, reading.ask()), frontend.FLUSH)
    return True


def stand_in(state: SessionState, head: Reply) -> None:
    """The server is made to fail where a cell could not be opened."""
    head.refusal, head.broken, head.muted = head.broken, None, False
    state.to_server += (frontend.build_execute(STAND_IN_PORTAL), frontend.FLUSH)


def breaks(head: Reply, error: FieldgateError) -> bool:
    """Whether the server can still be made to fail here, because nothing that comes behind has been sent."""
    if head.stepping is None:
        return False
    head.broken, head.muted = error, True
    return True


def greatest_number(raw: bytes) -> int:
    """Of rows, as an Execute asks for them; 0: all."""
    most = int.from_bytes(raw[-4:], "big")
    return most if most <= _GREATEST else 0
