"""Ways to break the product on purpose: Python that a process of it runs first.  Chaos must find each of them."""

from __future__ import annotations

# A batch is put back whatever the rows hold by then.
LOST_UPDATES = """
import asyncio
from proxy.rotation.reencrypt import Reencryption
write = Reencryption._write
async def late(self, *rest):
    self.compare = False
    await asyncio.sleep(1)
    await write(self, *rest)
Reencryption._write = late
"""
# Nobody is waited for, and nothing keeps old cells out.
NO_FENCE = """
from proxy.rotation.rotate import Rotation
from proxy.rotation.tools import Tools
async def nothing(*arguments):
    pass
Rotation.fence = nothing
Tools.confirmed = nothing
"""
# What another runner has begun is left alone.
NO_RESUME = """
from datetime import timedelta
from proxy.keywork.records_database import DatabaseRecords
due = DatabaseRecords.due
async def queued(self, limit, stale):
    return await due(self, limit, timedelta(days=1))
DatabaseRecords.due = queued
"""
# The old term column is given up before every cell has the new term.
EARLY_SWITCH = """
from proxy.rotation import rotate_terms
async def nothing(*arguments):
    pass
rotate_terms.TermRotation._all_have = nothing
rotate_terms.require_same = nothing
"""
# In a proxy: a column that is gone is nobody's.
NO_AGAIN = """
from proxy.session import failures
failures.is_gone = lambda fields, catalog: False
"""
FAULTS = {
    "lost-updates": LOST_UPDATES,
    "no-fence": NO_FENCE,
    "no-resume": NO_RESUME,
    "early-switch": EARLY_SWITCH,
    "no-again": NO_AGAIN,
}
OF_PROXIES = frozenset({"no-again"})
