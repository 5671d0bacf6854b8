"""Indexes and constraints on the term column."""

from __future__ import annotations

from proxy.sealing.carry import Carried, carried_sql


def sql(constraint: bool, *, unique: bool = False, columns: tuple[str, ...] = ("email",), **more: object) -> str:
    defaults: dict[str, object] = {
        "included": (), "method": "btree", "nulls_not_distinct": False, "deferrable": False, "deferred": False,
    }  # fmt: skip
    carried = Carried("na me", constraint, unique, columns, **{**defaults, **more})  # type: ignore[arg-type]
    return carried_sql('"s"."t"', "email", "fg_email_eq", carried)


def test_indexes() -> None:
    assert sql(False) == 'CREATE INDEX "na me" ON "s"."t" USING btree ("fg_email_eq")'
    assert sql(False, method="hash") == 'CREATE INDEX "na me" ON "s"."t" USING hash ("fg_email_eq")'
    several = sql(False, unique=True, columns=("a", "email"), included=("b",), nulls_not_distinct=True)
    expected = 'UNIQUE INDEX "na me" ON "s"."t" USING btree ("a", "fg_email_eq") INCLUDE ("b") NULLS NOT DISTINCT'
    assert several == f"CREATE {expected}"


def test_constraints() -> None:
    assert sql(True, unique=True) == 'ALTER TABLE "s"."t" ADD CONSTRAINT "na me" UNIQUE ("fg_email_eq")'
    several = sql(True, unique=True, columns=("email", "a"), nulls_not_distinct=True, deferrable=True, deferred=True)
    expected = 'UNIQUE NULLS NOT DISTINCT ("fg_email_eq", "a") DEFERRABLE INITIALLY DEFERRED'
    assert several == f'ALTER TABLE "s"."t" ADD CONSTRAINT "na me" {expected}'
