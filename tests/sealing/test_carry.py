"""Indexes and constraints made again on what takes a column's place."""

from __future__ import annotations

from proxy.sealing.carry import Carried, carried_sql, literal


def sql(constraint: bool, *, unique: bool = False, columns: tuple[str, ...] = ("email",), **more: object) -> str:
    [made] = all_sql(constraint, unique=unique, columns=columns, **more)
    return made


def all_sql(
    constraint: bool, *, unique: bool = False, columns: tuple[str, ...] = ("email",), **more: object
) -> tuple[str, ...]:
    defaults: dict[str, object] = {
        "included": (), "method": "btree", "nulls_not_distinct": False, "deferrable": False, "deferred": False,
    }  # fmt: skip
    carried = Carried("na me", constraint, unique, columns, **{**defaults, **more})  # type: ignore[arg-type]
    return carried_sql("s", "t", "email", "fg_email_eq", carried)


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
    placed = sql(True, unique=True, options=("fillfactor=50",), tablespace="fast")
    assert placed.endswith("""("fg_email_eq") WITH ("fillfactor" = '50') USING INDEX TABLESPACE "fast\"""")


def test_what_an_index_has_besides() -> None:
    columns = ("a", "email", "b", "c")
    made = sql(False, columns=columns, orders=(0, 1, 2, 3), predicate="(email IS NOT NULL)", options=("fillfactor=50",))
    assert made == (
        'CREATE INDEX "na me" ON "s"."t" USING btree'
        ' ("a", "fg_email_eq" DESC NULLS LAST, "b" NULLS FIRST, "c" DESC)'
        """ WITH ("fillfactor" = '50') WHERE (email IS NOT NULL)"""
    )
    assert all_sql(False, clustered=True, comment="it's \\ here")[1:] == (
        'ALTER TABLE "s"."t" CLUSTER ON "na me"',
        """COMMENT ON INDEX "s"."na me" IS E'it''s \\\\ here'""",
    )


def test_literals() -> None:
    assert literal("a'b") == "'a''b'"
    assert literal("a\\'b") == "E'a\\\\''b'"
