"""Casbin as the judge of our own compiler.  The only module that imports casbin, and never on the path of a query.

The same rules are given to Casbin's enforcer, and cells of (who, field, verb, purpose) are asked of both.  One that
differs means that the compiled table must not be published.  Casbin logs what it is asked: it is silenced.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import casbin

from .engine import CompiledDecisions
from .errors import PolicyError
from .fields import Field
from .model import VERBS_BY_NAME, Principal, Verb
from .policy_set import ANY_PURPOSE, Effect, PolicySet, Rule

MODEL = Path(__file__).parent / "models" / "fieldgate.conf"
_FIELD, _LOGIN = "field:", "login:"  # so that no field or login can have the name of a tag or role


@dataclass(frozen=True, slots=True)
class Cell:
    """One question.  `subject` is a role's name, or a login's with the prefix that Casbin knows it by."""

    subject: str
    roles: frozenset[str]
    field: Field
    verb: Verb
    purpose: str


class Oracle:
    """Casbin reads every rule for every question.  A rule about another verb can never match (`r.act == p.act`), so
    there is one enforcer for each verb, which answers thirteen times faster.
    """

    def __init__(self, policy: PolicySet) -> None:
        _silence()
        self._controller = policy.controller
        rows: dict[str, list[list[str]]] = {verb: [] for verb in VERBS_BY_NAME}
        for row in policy_rows(policy):
            rows[row[3]].append(row)
        links = list(link_rows(policy))
        self._enforcers = {verb: _enforcer(rules, links) for verb, rules in rows.items()}

    def allows(self, subject: str, field_name: str, verb: str, purpose: str, controller: str | None = None) -> bool:
        asked = (subject, controller or self._controller, _FIELD + field_name, verb, purpose)
        return bool(self._enforcers[verb].enforce(*asked))


def plain_enforcer(model: Path, rules: list[list[str]], links: list[list[str]]) -> casbin.Enforcer:
    """An enforcer over rules that stand as they are, with one kind of links, `g`; for the admin policy."""
    _silence()
    return _enforcer(rules, [("g", row) for row in links], model)


def _silence() -> None:
    for name in ("casbin", "casbin.policy", "casbin.enforcer", "casbin.role"):
        logging.getLogger(name).disabled = True


def _enforcer(rules: list[list[str]], links: list[tuple[str, list[str]]], path: Path = MODEL) -> casbin.Enforcer:
    made = casbin.Enforcer(str(path))
    model = made.get_model()
    for row in rules:
        model.add_policy("p", "p", row)
    for kind, row in links:
        model.add_policy("g", kind, row)
    made.build_role_links()
    return made


def policy_rows(policy: PolicySet) -> Iterator[list[str]]:
    """The rules as Casbin's `p` lines: one for each verb, purpose and tag that a rule is about."""
    for rule in policy.rules:
        for tag, verb, purpose in itertools.product(_targets(rule, policy), rule.verbs, rule.purposes):
            mask = "null" if verb is Verb.MASK else ""
            yield [rule.role, policy.controller, tag, (verb.name or "").lower(), purpose, mask, rule.effect.value]


def _targets(rule: Rule, policy: PolicySet) -> list[str]:
    """A deny also names the tags that the links below do not lead to, because they are for named grants only."""
    if rule.effect is Effect.ALLOW:
        return [rule.tag]
    below = [tag.name for tag in policy.tags.values() if tag.named_only and rule.tag in _all_above(tag.name, policy)]
    return [rule.tag, *(name for name in below if name != rule.tag)]


def _all_above(tag: str, policy: PolicySet) -> set[str]:
    found = {tag}
    for parent in policy.tags[tag].parents:
        found |= _all_above(parent, policy)
    return found


def link_rows(policy: PolicySet) -> Iterator[tuple[str, list[str]]]:
    """Casbin's `g` lines: who has which role, what each field and tag is, and where each purpose belongs."""
    for login in policy.logins.values():
        for role in sorted(login.roles):
            yield "g", [_LOGIN + login.name, role, login.controller]
    for each in policy.roles.values():
        for parent in each.inherits:
            yield "g", [each.name, parent, policy.controller]
    for field in policy.all_fields():
        yield "g2", [_FIELD + field.name, field.tag]
    for tag in policy.tags.values():
        for parent in () if tag.named_only else tag.parents:
            yield "g2", [tag.name, parent]
    for purpose in policy.purposes.values():
        yield "g3", [purpose.name, ANY_PURPOSE]
        if purpose.within is not None:
            yield "g3", [purpose.name, purpose.within]


def cells(policy: PolicySet) -> list[Cell]:
    """Every question about this policy: roles and logins, one field of each tag, verbs, purposes."""
    fields = {field.tag: field for field in policy.all_fields()}.values()
    subjects = [(role, frozenset([role])) for role in policy.roles]
    subjects += [(_LOGIN + login.name, login.roles) for login in policy.logins.values() if len(login.roles) != 1]
    asked = itertools.product(subjects, fields, VERBS_BY_NAME.values(), policy.purposes)
    return [Cell(name, roles, field, verb, purpose) for (name, roles), field, verb, purpose in asked]


def check_against_oracle(policy: PolicySet, sample: int | None = None) -> int:
    """Compares the compiled table with Casbin on all cells, or on `sample` of them (the same ones for one revision).

    Returns how many were compared; raises PolicyError at the first that differs.
    """
    asked = cells(policy)
    if sample is not None and sample < len(asked):
        asked = random.Random(policy.revision).sample(asked, sample)  # noqa: S311  (a spot check, not a secret)
    compare(policy, asked)
    return len(asked)


def compare(policy: PolicySet, asked: Iterable[Cell]) -> None:
    """Raises PolicyError at the first cell that is decided differently."""
    decisions, oracle = CompiledDecisions(policy), Oracle(policy)
    for cell in asked:
        field, verb = cell.field, (cell.verb.name or "").lower()
        principal = Principal("", "", cell.roles, policy.controller, cell.purpose, case="check")
        rights = decisions.table_rights(principal, field.schema, field.table).fields[field.column]
        if rights.allows(cell.verb) != oracle.allows(cell.subject, field.name, verb, cell.purpose):
            raise PolicyError(
                f"compiled and Casbin's decision differ for {cell.subject}, {field.name}, {verb}, {cell.purpose}",
                file="policy.csv",
            )
