"""Which functions are known, and what is known of them.  What stands in no list here is unknown, and unknown means no.

Three lists, because three questions are asked:
- in a statement that touches protected data only functions of SCALARS, SETS, AGGREGATES and WINDOWS may be called;
- in any other statement every function of pg_catalog may be, except those that REACH beyond their arguments: that run
  SQL, read files, large objects or the write-ahead log, or the server's statistics;
- beside a row filter only LEAKPROOF ones may run, which neither fail nor tell anything about other rows.
"""

from __future__ import annotations

import re

_TEXT = """ascii bit_length btrim casefold char_length character_length chr concat concat_ws convert convert_from
convert_to decode encode format initcap left length lower lpad ltrim md5 normalize is_normalized octet_length overlay
parse_ident position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match
regexp_replace regexp_split_to_array regexp_substr repeat replace reverse right rpad rtrim sha224 sha256 sha384 sha512
split_part starts_with string_to_array strpos substr substring to_ascii to_hex to_bin to_oct translate upper text
similar_to_escape similar_escape like_escape like notlike texteq textcat textlen unistr crc32 crc32c get_bit get_byte
set_bit set_byte"""
_MATH = """abs acos acosd acosh asin asind asinh atan atan2 atand atanh cbrt ceil ceiling cos cosd cosh cot cotd degrees
div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 min_scale mod pi pow power radians random
random_normal round scale setseed sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket numeric int2 int4
int8 float4 float8 bool"""
_TIME = """age clock_timestamp date date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days
justify_hours justify_interval make_date make_interval make_time make_timestamp make_timestamptz now
statement_timestamp timeofday timezone to_char to_date to_number to_timestamp transaction_timestamp overlaps interval
timestamp timestamptz time timetz"""
_DATA = """array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort
array_to_string array_upper cardinality trim_array array_to_json row_to_json to_json to_jsonb json_build_array
json_build_object jsonb_build_array jsonb_build_object json_object jsonb_object json_array_length jsonb_array_length
json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text json_strip_nulls jsonb_strip_nulls
json_typeof jsonb_typeof jsonb_insert jsonb_set jsonb_set_lax jsonb_pretty jsonb_path_exists jsonb_path_match
jsonb_path_query_array jsonb_path_query_first jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
jsonb_path_query_first_tz isempty lower_inc lower_inf upper_inc upper_inf range_merge multirange int4range int8range
numrange tsrange tstzrange daterange abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask
network set_masklen macaddr8_set7bit num_nulls num_nonnulls gen_random_uuid uuidv4 uuidv7 uuid_extract_timestamp
uuid_extract_version array_to_tsvector get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree
setweight strip to_tsquery to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsvector_to_array
websearch_to_tsquery tsquery_phrase point box circle line lseg path polygon area center diameter height width radius
enum_first enum_last enum_range pg_typeof"""
_SESSION = """current_database current_schema current_schemas current_setting inet_client_addr inet_client_port
inet_server_addr inet_server_port pg_backend_pid version nextval currval lastval txid_current pg_current_xact_id
pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock
pg_advisory_lock_shared pg_advisory_unlock_shared pg_advisory_xact_lock_shared pg_try_advisory_lock_shared
pg_try_advisory_xact_lock_shared pg_notify hashtext hashtextextended pg_get_serial_sequence"""
_AGGREGATES = """count sum avg min max array_agg string_agg bool_and bool_or every json_agg jsonb_agg json_object_agg
jsonb_object_agg json_agg_strict jsonb_agg_strict stddev stddev_pop stddev_samp var_pop var_samp variance bit_and bit_or
bit_xor corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
regr_syy percentile_cont percentile_disc mode any_value range_agg range_intersect_agg"""
_WINDOWS = """row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value"""

SCALARS = frozenset(f"{_TEXT} {_MATH} {_TIME} {_DATA} {_SESSION}".split())
AGGREGATES = frozenset(_AGGREGATES.split())
WINDOWS = frozenset(_WINDOWS.split())
# Set-returning functions with the names of the columns that they return; () is one column named as the source itself.
SETS: dict[str, tuple[str, ...]] = {
    "generate_series": (),
    "generate_subscripts": (),
    "unnest": (),
    "string_to_table": (),
    "regexp_split_to_table": (),
    "regexp_matches": (),
    "json_array_elements": ("value",),
    "jsonb_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_array_elements_text": ("value",),
    "json_object_keys": (),
    "jsonb_object_keys": (),
    "json_each": ("key", "value"),
    "jsonb_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
    "jsonb_path_query": (),
    "json_to_recordset": (),
    "jsonb_to_recordset": (),
    "json_to_record": (),
    "jsonb_to_record": (),
}

# May run over columns that the principal can count or sum but not read: each tells only of the whole group.
READLESS_AGGREGATES = frozenset({"count", "sum", "avg"})

# Take a value out of the session, to whoever listens.
SENDING = frozenset({"pg_notify"})

# Total for every argument and silent about it (pg_proc.proleakproof says so, or it takes no argument from a row).
LEAKPROOF_OPERATORS = frozenset({"=", "<>", "<", ">", "<=", ">="})

_REACH = re.compile(
    r"(?:query|table|schema|database|cursor)_to_xml.*"
    r"|ts_stat|ts_rewrite|currtid2?|set_config_from_file"
    r"|pg_read_.*|pg_ls_.*|pg_stat_file|pg_file_.*|pg_current_logfile"
    r"|lo_.*|loread|lowrite"
    r"|pg_logical_.*|pg_create_.*|pg_copy_.*|pg_drop_replication_slot|pg_replication_.*|pg_sync_replication_slots"
    r"|pg_backup_.*|pg_start_backup|pg_stop_backup|pg_switch_wal|pg_get_wal_.*|pg_walfile_.*"
    r"|pg_get_loaded_modules|pg_stats_ext_mcvlist_items|pg_mcv_list_items"
    r"|pg_restore_.*|pg_clear_.*|pg_execute_.*|binary_upgrade_.*|pg_import_system_collations"
    r"|dblink.*|plpgsql_.*|pg_upgrade_support.*"
    r"|pg_stat_.*|pg_statio_.*|pg_(?:relation|table|total_relation|indexes|database|tablespace)_size"
    r"|pg_terminate_backend|pg_cancel_backend|pg_log_.*"
)

# Give another answer at each call, or count calls: over rows that do not belong to the principal, or beside minimum
# groups, they would tell how many rows a condition was asked of, or single one out.
_VOLATILE = """random random_normal setseed clock_timestamp timeofday nextval currval lastval setval
gen_random_uuid uuidv4 uuidv7 array_sample array_shuffle txid_current pg_current_xact_id pg_notify pg_sleep
pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock
pg_advisory_lock_shared pg_advisory_unlock_shared pg_advisory_xact_lock_shared pg_try_advisory_lock_shared
pg_try_advisory_xact_lock_shared"""
VOLATILE = frozenset(_VOLATILE.split())

# Statistics, passwords, large objects and other sessions' statements: these catalogs repeat what stands in protected
# tables, or tell how many rows they have and when they change.
CLOSED_CATALOGS = frozenset(
    {
        "pg_statistic",
        "pg_stats",
        "pg_statistic_ext_data",
        "pg_stats_ext",
        "pg_stats_ext_exprs",
        "pg_largeobject",
        "pg_authid",
        "pg_shadow",
        "pg_stat_activity",
        "pg_stat_database",
        *(
            f"pg_{kind}_{which}_{what}"
            for kind in ("stat", "statio", "stat_xact")
            for which in ("all", "sys", "user")
            for what in ("tables", "indexes", "sequences")
        ),
        "pg_stat_user_functions",
        "pg_stat_xact_user_functions",
    }
)

# Columns of pg_class that tell how large a table is.
SIZE_COLUMNS = frozenset({"reltuples", "relpages", "relallvisible", "relallfrozen"})


# Their answer would be a size; a statement that can be rewritten gets NULL.
SIZE_FUNCTIONS = frozenset(
    {
        "pg_relation_size",
        "pg_table_size",
        "pg_indexes_size",
        "pg_total_relation_size",
        "pg_database_size",
        "pg_tablespace_size",
    }
)


def reaches_beyond(name: str) -> bool:
    """True: a function of pg_catalog that may see or do more than its arguments say."""
    return _REACH.fullmatch(name) is not None


def known(name: str) -> bool:
    return name in SCALARS or name in AGGREGATES or name in WINDOWS or name in SETS
