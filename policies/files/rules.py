"""policy.csv: one rule per line."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.model import NO_VERBS, VERBS_BY_NAME, Verb
from policies.policy_set import ANY_PURPOSE, Effect, Purpose, Role, Rule, Tag

COLUMNS = ("role", "tag", "verbs", "purposes", "effect", "obligations", "clauses", "comment")
ALL_VERBS = "*"
_GROUP_VERBS = Verb.GROUP | Verb.AGGREGATE


@dataclass(frozen=True, slots=True)
class Registers:
    """What rules may name."""

    tags: Mapping[str, Tag]
    roles: Mapping[str, Role]
    purposes: Mapping[str, Purpose]
    clauses: Collection[str]


@dataclass(frozen=True, slots=True)
class _Line:
    file: str
    number: int
    cells: Mapping[str, str]

    def error(self, message: str, key: str = "") -> PolicyError:
        return PolicyError(message, file=self.file, line=self.number, key=key)

    def known(self, key: str, known: Collection[str]) -> str:
        if self.cells[key] not in known:
            raise self.error(f'unknown {key} "{self.cells[key]}"' if self.cells[key] else "is missing", key)
        return self.cells[key]

    def several(self, key: str) -> tuple[str, ...]:
        """The words between the `|`."""
        words = tuple(word.strip() for word in self.cells[key].split("|")) if self.cells[key] else ()
        if not all(words) or len(set(words)) != len(words):
            raise self.error("has an empty or repeated word", key)
        return words


def read_rules(file: str, text: str, registers: Registers) -> tuple[Rule, ...]:
    return tuple(_rule(line, registers) for line in _lines(file, text))


def _lines(file: str, text: str) -> list[_Line]:
    """Rules are lines: what a cell holds never runs over the end of its line, so line numbers are exact.

    Only a newline ends a line: what an editor does not show as an end (U+2028, form feeds) must not begin a rule.
    """
    lines: list[_Line] = []
    header_seen = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(file, number, line)
        if not header_seen:
            if tuple(cells) != COLUMNS:
                raise PolicyError(f"the first line must be: {', '.join(COLUMNS)}", file=file, line=number)
            header_seen = True
        elif len(cells) != len(COLUMNS):
            raise PolicyError(f"has {len(cells)} cells instead of {len(COLUMNS)}", file=file, line=number)
        else:
            lines.append(_Line(file, number, dict(zip(COLUMNS, cells, strict=True))))
    if not header_seen:
        raise PolicyError(f"the first line must be: {', '.join(COLUMNS)}", file=file, line=1)
    return lines


def _cells(file: str, number: int, line: str) -> list[str]:
    try:
        (row,) = csv.reader([line], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError):
        raise PolicyError("is not CSV here (is a quote left open?)", file=file, line=number) from None
    return [cell.strip() for cell in row]


def _rule(line: _Line, registers: Registers) -> Rule:
    if line.cells["effect"] not in list(Effect):
        raise line.error("must be allow or deny, in small letters", "effect")
    effect = Effect(line.cells["effect"])
    verbs = _verbs(line, effect)
    return Rule(
        role=line.known("role", registers.roles),
        tag=_tag(line, registers, effect),
        verbs=verbs,
        purposes=_purposes(line, registers),
        effect=effect,
        clauses=_clauses(line, registers),
        origin=f"{line.file}:{line.number}",
        min_group=_obligations(line, effect, verbs),
        comment=line.cells["comment"],
    )


def _tag(line: _Line, registers: Registers, effect: Effect) -> str:
    tag = line.known("tag", registers.tags)
    if effect is Effect.ALLOW and any(
        each.forbidden and (tag == each.name or tag.startswith(f"{each.name}.")) for each in registers.tags.values()
    ):
        raise line.error("is forbidden: such data is not processed", "tag")
    return tag


def _verbs(line: _Line, effect: Effect) -> Verb:
    words = line.several("verbs")
    if words == (ALL_VERBS,):
        if effect is Effect.ALLOW:
            raise line.error("`*` is for denies: name what is allowed", "verbs")
        return ~NO_VERBS
    verbs = NO_VERBS
    for word in words:
        if word not in VERBS_BY_NAME:
            raise line.error(f'unknown verb "{word}"', "verbs")
        verbs |= VERBS_BY_NAME[word]
    if not verbs:
        raise line.error("is missing", "verbs")
    return verbs


def _purposes(line: _Line, registers: Registers) -> tuple[str, ...]:
    words = line.several("purposes")
    if not words:
        raise line.error("is missing", "purposes")
    if ANY_PURPOSE in words and len(words) > 1:
        raise line.error("`*` stands alone", "purposes")
    for word in words:
        if word != ANY_PURPOSE and word not in registers.purposes:
            raise line.error(f'unknown purpose "{word}"', "purposes")
    return words


def _clauses(line: _Line, registers: Registers) -> tuple[str, ...]:
    words = line.several("clauses")
    if not words:
        raise line.error("is missing: every rule serves a clause", "clauses")
    for word in words:
        if word not in registers.clauses:
            raise line.error(f'unknown clause "{word}"', "clauses")
    return words


def _obligations(line: _Line, effect: Effect, verbs: Verb) -> int:
    """The minimum group; the mask is checked here, and carried by the verb `mask` (its one profile is null)."""
    given: dict[str, str] = {}
    for word in line.several("obligations"):
        name, _, value = word.partition("=")
        if name in given:
            raise line.error(f'"{name}" stands twice', "obligations")
        given[name] = value
    if given and effect is Effect.DENY:
        raise line.error("a deny carries none", "obligations")
    mask, group = given.pop("mask", None), given.pop("min_group", None)
    if given:
        raise line.error(f'unknown obligation "{next(iter(given))}"', "obligations")
    if (mask is not None) != (Verb.MASK in verbs and effect is Effect.ALLOW) or mask not in (None, "null"):
        raise line.error("the verb mask and mask=null go together", "obligations")
    if group is None:
        return 0
    if not verbs & _GROUP_VERBS or not group.isascii() or not group.isdigit() or not 2 <= int(group) <= 1_000_000:
        raise line.error("min_group is a number from 2, for group and aggregate", "obligations")
    return int(group)
