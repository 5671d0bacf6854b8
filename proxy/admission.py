"""What a proven login may become, and who says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from policies.model import Principal
from proxy.session.login import Authenticated
from proxy.session.upstream_authentication import Secret
from proxy.wire.scram import Verifier

from .config import CredentialConfig
from .relaying import ConversationLike


@dataclass(frozen=True, slots=True)
class Admission:
    """What a proven login may become: who it is, and how its upstream session is opened.

    `converse` makes the conversation from the reported settings, the search_path and the session's id.
    """

    principal: Principal
    role: str
    secret: Secret = field(repr=False)
    credential: CredentialConfig | None
    protected: bool
    show_server_errors: bool  # pass-through: the server speaks of the client's own role
    converse: Callable[[dict[str, str], str | None, str], ConversationLike]


class Doorman(Protocol):
    """Who may come in; made by the composition root."""

    async def verifier(self, login: str) -> Verifier | None:
        """The SCRAM verifier of a login; None for one that does not exist or may not log in now."""
        ...

    def admit(self, who: Authenticated) -> Admission:
        """Raises FieldgateError: unknown database, replication where it is refused, a purpose that does not exist."""
        ...
