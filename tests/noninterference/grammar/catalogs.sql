-- Questions to the server's own catalogs, and functions that would ask around Fieldgate.

SELECT relname FROM pg_class WHERE relname = 'customers'
SELECT attname FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0 ORDER BY attnum
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position
SELECT reltuples, relpages FROM pg_class WHERE relname IN ('employees', 'site_visits') ORDER BY relname
SELECT tablename, attname, n_distinct, most_common_vals::text FROM pg_stats WHERE tablename = 'employees'
SELECT attname, null_frac, histogram_bounds::text FROM pg_stats WHERE schemaname = 'public'
SELECT starelid, stanullfrac FROM pg_statistic WHERE starelid = 'site_visits'::regclass
SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY relname
SELECT pg_relation_size('customers'), pg_table_size('orders')
SELECT query_to_xml('SELECT * FROM customers', true, false, '')
SELECT table_to_xml('employees', true, false, '')
SELECT last_value FROM customers_id_seq
SELECT word FROM ts_stat('SELECT to_tsvector(city) FROM customers') ORDER BY word
SELECT name FROM pg_prepared_statements
