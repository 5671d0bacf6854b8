"""Policies that hypothesis makes up: trees of roles, tags and purposes, sets, named-only tags, allows and denies."""

from __future__ import annotations

from hypothesis import strategies as st

from policies.fields import DataMap, Field, ProtectedTable
from policies.model import VERBS_BY_NAME, Verb
from policies.policy_set import (
    ANY_PURPOSE,
    ANY_TAG,
    Effect,
    LegalBasis,
    Login,
    LoginKind,
    PolicySet,
    Purpose,
    Role,
    Rule,
    Tag,
)

ROLES = ("r0", "r1", "r2", "r3")
PURPOSES = ("p0", "p1", "p2")
SETS = ("s0", "s1")
VERBS = (Verb.READ, Verb.FILTER_EQ, Verb.MASK)


@st.composite
def tag_trees(draw: st.DrawFn) -> dict[str, Tag]:
    """`any`, sets, and up to eight tags, each under an earlier one."""
    tags = {ANY_TAG: Tag(ANY_TAG, "", ()), **{name: Tag(name, "", ()) for name in SETS}}
    names: list[str] = []
    for number in range(draw(st.integers(1, 8))):
        wider = draw(st.sampled_from([ANY_TAG, *names[-3:]]))
        name = f"t{number}" if wider == ANY_TAG or wider.count(".") > 4 else f"{wider}.t{number}"
        parent = name.rpartition(".")[0] or ANY_TAG
        named_only = draw(st.booleans()) and draw(st.booleans())
        sets = () if named_only else tuple(draw(st.sets(st.sampled_from(SETS), max_size=2)))
        tags[name] = Tag(name, "", (parent, *sorted(sets)), named_only=named_only)
        names.append(name)
    return tags


@st.composite
def rules(draw: st.DrawFn, tags: dict[str, Tag]) -> Rule:
    effect = draw(st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.DENY]))
    verbs = Verb(0)
    for verb in draw(st.sets(st.sampled_from(VERBS), min_size=1)):
        verbs |= verb
    if effect is Effect.DENY and draw(st.booleans()):
        verbs = ~Verb(0)
    purposes = draw(st.sampled_from([(ANY_PURPOSE,), ("p0",), ("p1",), ("p1", "p2")]))
    return Rule(
        draw(st.sampled_from(ROLES)),
        draw(st.sampled_from(sorted(tags))),
        verbs,
        purposes,
        effect,
        ("D1",),
        "policy.csv:1",
    )


@st.composite
def policies(draw: st.DrawFn) -> PolicySet:
    tags = draw(tag_trees())
    leaves = [name for name in tags if name != ANY_TAG and name not in SETS]
    fields = {f"c{n}": Field("public", "t", f"c{n}", tag) for n, tag in enumerate(leaves)}
    roles = {
        name: Role(name, "", "p0", tuple(sorted(draw(st.sets(st.sampled_from(ROLES[:n]), max_size=2)) if n else ())))
        for n, name in enumerate(ROLES)
    }
    purposes = {
        name: Purpose(name, "", LegalBasis.LAW, (), draw(st.sampled_from([None, *PURPOSES[:n]])))
        for n, name in enumerate(PURPOSES)
    }
    held = draw(st.sets(st.sampled_from(ROLES)))
    login = Login("both", LoginKind.PERSON, frozenset(held), "p0", "firm", "both")
    return PolicySet(
        DataMap("firm", "db", {("public", "t"): ProtectedTable("public", "t", fields)}),
        tags,
        roles,
        purposes,
        {"D1": ""},
        tuple(draw(st.lists(rules(tags), max_size=8))),
        (),
        {"both": login},
    )


assert set(VERBS) <= set(VERBS_BY_NAME.values())
