"""What the write fence of a rotation is called and says, for those who make it and those who meet it.  Pure."""

from __future__ import annotations

import re

from keys.envelope import HEAD_SIZE
from policies.fields import Sealing

# A constant: it stands in an error of the server, and nothing of a row may.
FENCE_MESSAGE = "could not serialize access: the key of a protected field has been rotated; try the transaction again"

_HEAD = re.compile(rf"<> '\\x([0-9a-f]{{{2 * HEAD_SIZE}}})'::bytea")


def write_fence_name(sealing: Sealing) -> str:
    """Of the fence's function; its triggers go on with `_ins` and `_upd`."""
    return f"fg_fence_{sealing.field_id}_key"


def fence_head(definition: str) -> bytes | None:
    """What a fence's trigger admits, from pg_get_triggerdef with bytea_output hex; None for another trigger."""
    found = _HEAD.findall(definition)
    return bytes.fromhex(found[0]) if len(found) == 1 else None
