"""The planner's front door: what is asked of it, and what gives a text its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from policies.engine import DecisionTable
from policies.model import Principal

from .catalog import Catalog
from .plan import ScriptPlan, StatementPlan


@dataclass(frozen=True, slots=True)
class PlanContext:
    """All that gives a text its meaning.  `search_path` None: unknown, unqualified protected names are refused."""

    catalog: Catalog
    decisions: DecisionTable
    principal: Principal
    search_path: tuple[str, ...] | None = ("public",)
    observed: Catalog | None = None  # as if what is observed only were protected; None: nothing is observed only


class Planner(Protocol):
    """Never raises for bad SQL: what is refused is a plan with `refusal` set."""

    def plan_script(self, text: str, context: PlanContext) -> ScriptPlan:
        """All statements of a simple Query."""
        ...

    def plan_statement(self, text: str, parameter_types: tuple[int, ...], context: PlanContext) -> StatementPlan:
        """The one statement of a Parse message; `parameter_types` are the client's declared OIDs (0: unspecified)."""
        ...
