"""Which handler does which kind of operation: the one place where they are named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from proxy.keywork.handler import Handler, Work
from proxy.keywork.operation import OperationKind
from proxy.rotation.keks import rewrap, rotate_kek
from proxy.rotation.retire import DESTROY_AFTER, destroy_key, disable_key, enable_key
from proxy.rotation.rotate import rotate_data_key
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.rotation.shred import shred_subject
from proxy.rotation.tools import Tools
from proxy.rotation.verify import verify_field
from proxy.sealing.run import SealOptions

from .sealing import Privileges, no_privileges, seal_handler, unseal_handler

_WITH_TOOLS: Mapping[OperationKind, Callable[[Tools, Work], Awaitable[None]]] = {
    OperationKind.ROTATE_KEK: rotate_kek,
    OperationKind.REWRAP: rewrap,
    OperationKind.ROTATE_DATA_KEY: rotate_data_key,
    OperationKind.VERIFY: verify_field,
    OperationKind.DISABLE_KEY: disable_key,
    OperationKind.ENABLE_KEY: enable_key,
    OperationKind.SHRED_SUBJECT: shred_subject,
}


def handlers(
    tools: Tools,
    destroy_after: timedelta = DESTROY_AFTER,
    privileges: Privileges = no_privileges,
    sealing: SealOptions | None = None,
) -> dict[OperationKind, Handler]:
    """`privileges` are given in the transaction in which a field changes its form; `sealing`: its batches and locks."""
    options = sealing or SealOptions()
    made: dict[OperationKind, Handler] = {kind: partial(handler, tools) for kind, handler in _WITH_TOOLS.items()}
    made[OperationKind.DESTROY_KEY] = partial(destroy_key, tools, destroy_after=destroy_after)
    made[OperationKind.ROTATE_TERM_KEY] = partial(rotate_term_key, tools, privileges)
    made[OperationKind.SEAL_FIELD] = partial(seal_handler, tools, privileges, options)
    made[OperationKind.UNSEAL_FIELD] = partial(unseal_handler, tools, privileges, options)
    return made
