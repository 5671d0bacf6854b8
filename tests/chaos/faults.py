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
from proxy.keywork.records_database import DatabaseRecords
claim = DatabaseRecords.claim
async def first(self, operation_id):
    begun = (await self.get(operation_id)).state.value == "running"
    return None if begun else await claim(self, operation_id)
DatabaseRecords.claim = first
"""
# Who goes on does not look what there is already.
NO_MEMORY = """
from proxy.rotation import rotate
keys_of = rotate.keys_of
def forgetful(snapshot, slot, *states):
    return [] if not states or rotate.KeyState.PRE_ACTIVE in states else keys_of(snapshot, slot, *states)
rotate.keys_of = forgetful
async def finished(self, active):
    return False
rotate.Rotation._unfinished = finished
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
    "no-memory": NO_MEMORY,
    "early-switch": EARLY_SWITCH,
    "no-again": NO_AGAIN,
}
OF_PROXIES = frozenset({"no-again"})
