"""Which of PostgreSQL's extensions are known: what their C code does depends on its arguments only."""

from __future__ import annotations

# Extensions whose C code was read: what it does depends on its arguments (and on settings and dictionaries) only.  It
# reads no table, no file and no other session; what is VOLATILE in it draws random bytes or sets a setting, and is kept
# away from row filters and minimum groups like random().  Not here, because they run SQL, read files or tell of other
# sessions: adminpack, amcheck, dblink, file_fdw, lo, pageinspect, pg_buffercache, pg_stat_statements, pg_visibility,
# pgrowlocks, pgstattuple, postgres_fdw, refint and the other modules of spi, tablefunc (crosstab takes SQL), tcn (it
# notifies everybody of keys), xml2 (xpath_table takes SQL).
HARMLESS_EXTENSIONS = frozenset(
    {
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dict_int",
        "dict_xsyn",
        "earthdistance",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "isn",
        "ltree",
        "pg_trgm",
        "pgcrypto",
        "seg",
        "unaccent",
        "uuid-ossp",
        "vector",
    }
)
