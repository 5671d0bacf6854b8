"""What INSERT, UPDATE and DELETE have in common: the target, one assignment to one column, RETURNING."""

from __future__ import annotations

from dataclasses import dataclass

from policies.model import RowFilter, Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import READING, Analysis, Item, QueryRole
from .authorise import Guarded
from .catalog import Column, Relation
from .name_errors import unknown_column
from .operands import column_operand
from .outputs import add_hidden_keys
from .plan import SlotKind, ValueSource
from .relations import Reach, closed, reach_of
from .scope import Namespace, Scope, Source, is_hidden, namespace_of
from .source_names import name_span, plain_source
from .sources import locate, protected_source
from .targets import walk_targets
from .tree import Node
from .typenames import logical_of
from .values import Sealer, value_of


@dataclass(slots=True)
class Target:
    """The table that is written to.  `relation` None: unknown here, so not protected (a new temporary table)."""

    relation: Relation | None
    source: Source
    scope: Scope
    name_end: int  # the last token of its name
    row_filter: RowFilter | None = None

    @property
    def protected(self) -> bool:
        return self.source.protected

    @property
    def row_key(self) -> str | None:
        """The column that cells are bound to, if the table has bound cells at all."""
        table = self.relation.protected if self.relation is not None else None
        if table is None or not any(f.sealing is not None and f.sealing.row_bound for f in table.fields.values()):
            return None
        return table.row_key

    def column(self, name: str, position: int | None) -> Column | None:
        found = self.relation.column(name) if self.relation is not None else None
        if is_hidden(name) or (found is None and self.protected):
            raise unknown_column(name, position)
        return found

    def guarded(self, a: Analysis, name: str) -> Guarded | None:
        table = self.relation.protected if self.relation is not None else None
        return a.ledger.guarded(table, name) if table is not None else None


def write_target(a: Analysis, body: Node, outer: Scope) -> Target:
    """Resolve the target; writing through a view, or to what has rules, is refused."""
    range_var = body["relation"]
    position = outer.text.position(range_var.get("location", -1))
    relation = locate(a, range_var, outer, target=True)
    reach = reach_of(relation)
    if relation is not None and (reach is Reach.CLOSED or relation.schema == "pg_catalog"):
        raise closed(relation, position)
    if relation is not None and reach is Reach.PROTECTED and (relation.protected is None or relation.has_rules):
        raise Unsupported(
            f'writing through "{relation.schema}.{relation.name}" is not supported: it shows data of protected tables',
            hint="Write to the table itself.",
            position=position,
        )
    _, last = name_span(outer.text, range_var)
    if relation is None or relation.protected is None:
        source = plain_source(relation, range_var)
        return Target(relation, source, _scope(outer, source), last)
    a.analysed.add(relation.oid)
    source = protected_source(a, relation, range_var)
    return Target(relation, source, _scope(outer, source), last, a.ledger.table(relation.protected).row_filter)


def _scope(outer: Scope, source: Source) -> Scope:
    return Scope(outer.text, outer, namespace_of(source))


def charge_write(a: Analysis, target: Target, name: str, verb: Verb, position: int | None) -> Guarded | None:
    """The verb itself; and filter_eq where the write's outcome tells whether the value exists already (I3)."""
    guarded = target.guarded(a, name)
    if guarded is None or target.relation is None:
        return None
    a.ledger.charge(guarded, verb, position)
    if is_unique(target.relation, guarded):
        a.ledger.charge(guarded, Verb.FILTER_EQ, position)
    return guarded


def is_unique(relation: Relation, guarded: Guarded) -> bool:
    cell = guarded.cell
    sealed_unique = cell is not None and cell.sealing is not None and cell.sealing.unique
    return sealed_unique or guarded.column in relation.primary_key or guarded.column in relation.unique


def assign(
    a: Analysis, target: Target, name: str, node: Node, scope: Scope, key: ValueSource | None, position: int | None
) -> None:
    """One value for one column.  Cells take constants, parameters and DEFAULT; everything else is refused (I1)."""
    guarded = target.guarded(a, name)
    column = target.column(name, position)
    cell = guarded.cell if guarded is not None else None
    if cell is None or column is None:
        _assign_plain(a, target, node, scope)
        return
    value = value_of(node)
    if "SetToDefault" in node:
        if column.has_default:
            raise Refused(
                f'the default of the sealed column "{cell.name}" is not known to the data map',
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
                hint="Send the value itself.",
                position=position,
            )
    elif value is None:
        raise Unsupported(
            f'the sealed column "{cell.name}" can only take a constant or a parameter',
            hint="Compute the value in the application and send it as a parameter.",
            position=position,
        )
    else:
        kind = column_type(a, target)
        Sealer(a, scope.text, cell, SlotKind.CELL, bound_key(target, cell, key, position), kind).seal(value, position)


def _assign_plain(a: Analysis, target: Target, node: Node, scope: Scope) -> None:
    """A plain column takes what may be read; out of the protected tables only what may also be exported."""
    a.charge_stored(a.walk(a, node, scope, READING), target.protected, scope.text.position(0))


def column_type(a: Analysis, target: Target) -> int:
    column = target.relation.column(target.row_key or "") if target.relation is not None else None
    return column.type_oid if column is not None else 0


def bound_key(target: Target, cell: object, key: ValueSource | None, position: int | None) -> ValueSource | None:
    sealing = getattr(cell, "sealing", None)
    if sealing is None or not sealing.row_bound:
        return None
    if key is None:
        raise Unsupported(
            f'a sealed column of "{target.source.alias}" is bound to its row, and the row\'s key is not known here',
            hint=f'Give "{target.row_key}" as a constant or a parameter in the same statement.',
            position=position,
        )
    return key


def source_of_value(node: Node) -> ValueSource | None:
    """Where a row key comes from, when the statement says it: a constant or a parameter."""
    value = value_of(node)
    if value is None or value.is_null or any(logical_of(cast.get("typeName", {})) is None for cast in value.casts):
        return None
    if value.kind == "ParamRef":
        return ValueSource(parameter=value.body.get("number", 0))
    if value.kind != "A_Const":
        return None
    for kind, convert in (("sval", str), ("ival", str), ("fval", str)):
        if kind in value.body:
            return ValueSource(constant=convert(value.body[kind].get(kind, 0 if kind == "ival" else "")).encode())
    return None


def returning(a: Analysis, body: Node, scope: Scope, role: QueryRole) -> list[Item]:
    targets = body.get("returningList", [])
    if not targets:
        return []
    items = walk_targets(a, targets, scope, role)
    if role is QueryRole.TOP:
        start = scope.text.token_at(targets[0]["ResTarget"].get("location", -1))
        add_hidden_keys(a, scope, items, start, plain=True, returning=True)
    return items


def same_column(a: Analysis, node: Node, scope: Scope, sources: tuple[Source, ...], name: str) -> bool:
    """The value is the column itself, of the row that is written (or, in ON CONFLICT, that was to be added)."""
    operand = column_operand(a, node, scope) if "ColumnRef" in node else None
    visible = operand.reference.visible if operand is not None else None
    return visible is not None and visible.source in sources and visible.column.inner == name


def names_with(*namespaces: Namespace) -> Namespace:
    both = Namespace()
    for namespace in namespaces:
        both.add(namespace)
    return both
