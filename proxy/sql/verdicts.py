"""What is said of a statement that is neither SELECT nor INSERT, UPDATE, DELETE; and the refusals that recur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.errors import Refused, Unsupported

from .catalog import Catalog
from .plan import SessionEffect, StatementKind
from .settings import NO_EFFECT, Effect
from .touch import Findings
from .tree import Node, unwrap


@dataclass(frozen=True, slots=True)
class Utility:
    """What a utility statement is and does; `kind` as the plan says it."""

    kind: StatementKind = StatementKind.UTILITY
    effect: Effect = NO_EFFECT
    returns_rows: bool = False


_CATALOG: Effect = (SessionEffect.CATALOG, None)
DDL = Utility(effect=_CATALOG)
PLAIN = Utility()

Handler = Callable[[Catalog, Node, Findings], Utility]


def spoken(kind: str) -> str:
    """`CreateFunctionStmt` as `CREATE FUNCTION`."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in kind.removesuffix("Stmt"))
    return words.strip().upper()


def refuse_touching(found: Findings) -> None:
    if found.touches:
        relation = found.protected[0]
        raise Refused(
            f'this command on "{relation.schema}.{relation.name}" is refused: the table is protected, or shows '
            "protected data",
            hint="Change protected tables on a direct connection, as the administrator of the database; "
            "`fieldgate check` then says whether the data map still fits.",
        )


def check_query(query: Node) -> None:
    """Only what is understood may be wrapped."""
    kind = unwrap(query)[0]
    if kind and kind not in ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
        raise Unsupported(f"{spoken(kind)} can not be used here in a database with protected tables")


def refuse_files(body: Node) -> None:
    """Of COPY: the server's own files and programs are out of our sight."""
    if "filename" in body or body.get("is_program"):
        raise Unsupported(
            "COPY to or from files and programs of the server is refused in a database with protected tables",
            hint="Use COPY ... TO STDOUT or FROM STDIN.",
        )
