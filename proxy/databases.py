"""Databases as sessions see them: those in which nothing is protected, and what both kinds have in common."""

from __future__ import annotations

from typing import NoReturn

from keys.errors import UnknownKey
from keys.field import FieldCipher
from policies.model import Principal, TableRights
from policies.policy_set import PolicySet
from proxy.rows.params import Spend
from proxy.session.services import Revision, SessionServices
from proxy.sql.catalog import Catalog
from proxy.sql.plan import ScriptPlan, StatementPlan
from proxy.sql.planner import PlanContext


class PlainDatabase:
    """Nothing in it is protected: sessions are forwarded, and whoever would plan or decide anything is wrong."""

    def __init__(self, name: str) -> None:
        revision = Revision(Catalog(version=0, database=name, server_version=0), _NoDecisions(), _NoCiphers())
        self.policy: PolicySet | None = None
        self.services = SessionServices(_NoPlanner(), lambda: revision, lambda: True, searches=_none)


def _none(_who: Principal) -> Spend:
    return _unreachable()


class _NoPlanner:
    def plan_script(self, text: str, context: PlanContext) -> ScriptPlan:
        return _unreachable()

    def plan_statement(self, text: str, parameter_types: tuple[int, ...], context: PlanContext) -> StatementPlan:
        return _unreachable()


class _NoDecisions:
    revision = ""

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        return TableRights()

    def rights_key(self, principal: Principal) -> object:
        return None


class _NoCiphers:
    def cipher(self, field_id: str) -> FieldCipher:
        raise UnknownKey("this database has no sealed fields")


def _unreachable() -> NoReturn:
    raise RuntimeError("a database without protected tables has nothing to plan")
