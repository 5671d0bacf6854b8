"""What could run before a row filter, count what a minimum group hides, or tell of sizes."""

from __future__ import annotations

from .group import Group

FENCES = (
    Group(
        "analyst",
        "groups of one, made by counting calls, by FILTER, or by a computed key",
        "nothing volatile, no FILTER and no computed key beside a minimum group",
        "0A000",
        (
            "SELECT sum(total) FILTER (WHERE random() < 0.001) FROM orders",
            "SELECT sum(total) FROM orders WHERE random() < 0.001",
            "SELECT sum(total) FROM orders WHERE clock_timestamp() < now()",
            "SELECT count(*) FILTER (WHERE true) FROM customers",
            "SELECT count(*) FROM customers GROUP BY city = 'Tinytown'",
            "SELECT count(*) FROM customers GROUP BY upper(city)",
        ),
    ),
    Group(
        "client",
        "counting how often a condition is asked of other people's rows",
        "nothing volatile beside a row filter",
        "0A000",
        (
            "UPDATE customers SET city = 'x' WHERE random() < 2",
            "UPDATE customers SET city = 'x' WHERE city = 'Leeds' AND random() < 2",
            "SELECT id FROM customers WHERE random() < 2",
            "SELECT id FROM customers WHERE pg_try_advisory_lock(1)",
        ),
    ),
    Group(
        "client",
        "other sessions' statements, and what tells of sizes and changes",
        "closed catalogs and functions",
        "0A000",
        (
            "SELECT query FROM pg_stat_activity",
            "SELECT * FROM pg_stat_get_activity(NULL)",
            "SELECT pg_terminate_backend(0)",
            "SELECT pg_cancel_backend(0)",
            "SELECT n_live_tup FROM pg_stat_user_tables",
            "SELECT n_live_tup FROM pg_stat_all_tables",
            "SELECT seq_scan FROM pg_stat_xact_user_tables",
            "SELECT heap_blks_read FROM pg_statio_user_tables",
            "SELECT * FROM pg_relation_size('payments') AS s",
            "SELECT ('payments'::regclass).pg_relation_size",
            "CREATE TEMP VIEW large AS SELECT pg_total_relation_size('public.customers'::regclass)",
            "SELECT pg_stat_get_live_tuples('payments'::regclass)",
            "TABLE pg_class",
            "COPY pg_class TO STDOUT",
            "SELECT reltuples FROM pg_class FOR UPDATE",
            "SELECT c FROM ONLY pg_class c",
            "SELECT to_jsonb(c.*) FROM ONLY pg_class c",
            "WITH pg_class AS (SELECT 1) SELECT * FROM pg_catalog.pg_class",
            "CREATE TEMP VIEW sizes AS SELECT to_jsonb(c) FROM pg_class c",
            "CREATE TEMP VIEW ps AS SELECT * FROM pg_settings",
        ),
    ),
    Group(
        "client",
        "sizes in pg_class",
        "the same for every relation",
        "",
        (
            "SELECT reltuples, relpages FROM pg_class WHERE relname = 'payments'",
            "SELECT (c).reltuples, to_jsonb(c) ->> 'relpages' FROM pg_class c WHERE relname = 'payments'",
            "SELECT DISTINCT reltuples, relallvisible FROM pg_class",
        ),
        (("-1", "0"),),
    ),
    Group(
        "client",
        "sizes that functions tell",
        "they are not told",
        "",
        (
            "SELECT pg_relation_size('payments')",
            "SELECT pg_total_relation_size('public.customers'::regclass) + 1",
            "SELECT pg_size_pretty(sum(pg_table_size(oid))) FROM pg_class",
            "SELECT max(n) FROM generate_series(1, pg_database_size(current_database()) / 8192) n",
        ),
        ((None,),),
    ),
)
