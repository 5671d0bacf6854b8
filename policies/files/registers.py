"""The closed lists that rules speak of: clauses, tags and sets, roles, purposes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from policies.policy_set import ANY_TAG, LegalBasis, Purpose, Role, Tag

from .names import DOTTED, MAX_DEPTH, NAME, depth
from .toml import Section

E = TypeVar("E", bound=StrEnum)


def one_of(section: Section, key: str, kind: type[E]) -> E:
    """The member of a closed list that `key` names, in exactly its spelling."""
    value = section.text(key)
    if value not in list(kind):
        raise section.error(f"must be one of: {', '.join(kind)}", key)
    return kind(value)


def known_texts(section: Section, key: str, known: Collection[str], what: str) -> tuple[str, ...]:
    """A list of texts, each of which stands in a register."""
    found = section.texts(key)
    for name in found:
        if name not in known:
            raise section.error(f'unknown {what} "{name}"', key)
    return found


def cited(section: Section, clauses: Collection[str]) -> tuple[str, ...]:
    """The clauses that an entry serves: at least one, each of the closed list."""
    section.texts("clauses", required=True)
    return known_texts(section, "clauses", clauses, "clause")


def read_clauses(root: Section) -> dict[str, str]:
    root.only("clause")
    section = root.section("clause")
    return {name: section.text(name) for name in section.values}


def read_tags(root: Section) -> dict[str, Tag]:
    """Tags with their parents.  Sets are tags too, of which other tags are parts."""
    root.only("tag", "set")
    sections = dict(root.sections("tag"))
    sets = _sets(root, sections)
    tags: dict[str, Tag] = {ANY_TAG: Tag(ANY_TAG, "Everything", ())}
    for name, section in sections.items():
        section.only("title", "named_only", "forbidden")
        if name == ANY_TAG or not DOTTED.fullmatch(name):
            raise section.error("is no name for a tag (like pd.address.city, at most six parts)")
        parent = name.rpartition(".")[0] or ANY_TAG
        if parent != ANY_TAG and parent not in sections:
            raise section.error(f'its wider tag "{parent}" is missing')
        tags[name] = Tag(
            name,
            section.text("title"),
            (parent, *(each for each, members in sets.items() if name in members)),
            named_only=section.flag("named_only"),
            forbidden=section.flag("forbidden"),
        )
    for name in sets:
        tags[name] = Tag(name, root.section("set").section(name).text("title"), ())
    return tags


def _sets(root: Section, tags: Mapping[str, Section]) -> dict[str, tuple[str, ...]]:
    sets = {}
    for name, section in root.sections("set"):
        section.only("title", "tags")
        if not NAME.fullmatch(name) or name in tags or name == ANY_TAG:
            raise section.error("is no name for a set, or is a tag's name")
        sets[name] = section.texts("tags", required=True)
        for member in known_texts(section, "tags", tags, "tag"):
            if _is_named_only(member, tags):
                raise section.error(f'"{member}" is to be named by rules, not through a set', "tags")
    return sets


def _is_named_only(tag: str, tags: Mapping[str, Section]) -> bool:
    """Is the tag, one above it or one below it for named grants only?"""
    return any(
        section.flag("named_only")
        for name, section in tags.items()
        if name == tag or name.startswith(f"{tag}.") or tag.startswith(f"{name}.")
    )


def read_purposes(root: Section, clauses: Collection[str]) -> dict[str, Purpose]:
    root.only("purpose")
    purposes = {}
    sections = dict(root.sections("purpose"))
    for name, section in sections.items():
        section.only("title", "basis", "clauses", "within", "case_required")
        _check_name(section, name)
        within = section.optional_text("within")
        if within is not None and within not in sections:
            raise section.error(f'unknown purpose "{within}"', "within")
        purposes[name] = Purpose(
            name,
            section.text("title"),
            one_of(section, "basis", LegalBasis),
            cited(section, clauses),
            within,
            section.flag("case_required"),
        )
    for name, section in sections.items():
        _check_tree(section, name, lambda each: [w] if (w := purposes[each].within) else [], "within")
    return purposes


def read_roles(root: Section, purposes: Collection[str]) -> dict[str, Role]:
    root.only("role")
    roles = {}
    sections = dict(root.sections("role"))
    for name, section in sections.items():
        section.only("title", "purpose", "inherits", "own_rows")
        _check_name(section, name)
        purpose = section.text("purpose")
        if purpose not in purposes:
            raise section.error(f'unknown purpose "{purpose}"', "purpose")
        inherits = known_texts(section, "inherits", sections, "role")
        roles[name] = Role(name, section.text("title"), purpose, inherits, section.flag("own_rows"))
    for name, section in sections.items():
        _check_tree(section, name, lambda each: roles[each].inherits, "inherits")
    return roles


def _check_name(section: Section, name: str) -> None:
    if not NAME.fullmatch(name):
        raise section.error("is no name here (small letters, digits and _, a letter first)")


def _check_tree(section: Section, name: str, parents: Callable[[str], Iterable[str]], key: str) -> None:
    try:
        steps = depth(name, parents)
    except RecursionError:
        raise section.error("leads back to itself", key) from None
    if steps > MAX_DEPTH:
        raise section.error(f"is more than {MAX_DEPTH} steps deep", key)
