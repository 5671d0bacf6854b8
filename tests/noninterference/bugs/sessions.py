"""What the session says, to whom, and as whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.policy_set import PolicySet
from proxy.rows.params import SlotFiller
from proxy.session import failures
from proxy.sql import cache, copies, named

from .bug import Bug, replacing, silenced, uncharged


def _with_detail(scrub: Any) -> Any:
    def scrubbed(fields: dict[bytes, bytes], *, rewritten: bool) -> dict[bytes, bytes]:
        return scrub(fields, rewritten=rewritten) | {key: fields[key] for key in (b"D",) if key in fields}

    return scrubbed


def _anybody(principal: Any) -> Any:
    def made(
        self: Any, login: str, *, person: Any = None, purpose: Any = None, case: Any = None, subject: Any = None
    ) -> Any:
        found = principal(self, login, purpose=purpose, case=case)
        return replace(found, subject=subject or found.subject, person=person or found.person)

    return made


def _meant_by_text(meaning: Any) -> Any:
    return lambda context: ()


_FAILED = {"write": 30, "copy in": 5}
SESSIONS = (
    Bug("details of errors are passed on", replacing(failures, "scrub", _with_detail), "shop_app", _FAILED),
    Bug("errors of protected tables count as others", silenced(failures, "_protected", False), "shop_app", _FAILED),
    Bug("a person may speak for another data subject", replacing(PolicySet, "principal", _anybody), "client",
        {"switched": 60}),
    Bug("the row filter is filled with somebody else's number",
        replacing(SlotFiller, "_attribute", lambda _: lambda self, slot: b"2"), "client"),
    Bug("plans are shared by all roles", replacing(cache, "_meaning", _meant_by_text), favoured={"straying": 4},
        warmed_by="management"),
    Bug("COPY is not checked", uncharged(copies, "plan_touching"), favoured={"copy out": 20, "straying": 4}),
    Bug("cursors are not checked", uncharged(named, "plan_touching"), favoured={"cursor": 20, "straying": 4}),
)  # fmt: skip
