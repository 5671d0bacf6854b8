# EXPLAIN: everything for who may read every field, the plan's shape for who may read some, nothing beside row filters.

[full] EXPLAIN SELECT id FROM customers WHERE city = 'x';
-> EXPLAIN SELECT id FROM "public".customers WHERE city = 'x'
[full] EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, SETTINGS, MEMORY, SERIALIZE text, FORMAT json) SELECT * FROM orders;
-> EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, SETTINGS, MEMORY, SERIALIZE text, FORMAT json) SELECT "orders"."id", "orders"."customer_id", "orders"."total", "orders"."status", "orders"."tech_notes", "orders"."placed_at", "orders"."recipient" FROM "public".orders
[full] EXPLAIN (FORMAT yaml) UPDATE customers SET email = 'x' WHERE id = 1;
-> EXPLAIN (FORMAT yaml) UPDATE "public".customers SET email = {CELL customers.email 'x'}::pg_catalog.bytea WHERE id = 1
[full] EXPLAIN (FORMAT xml) DELETE FROM customers WHERE email = $1;
-> EXPLAIN (FORMAT xml) DELETE FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea
++ physical=TERM($1); described=$1:25
[full] EXPLAIN (GENERIC_PLAN) SELECT id FROM customers WHERE id = $1;
-> EXPLAIN (GENERIC_PLAN) SELECT id FROM "public".customers WHERE id = $1
++ physical=PLAIN($1)
[full] EXPLAIN VERBOSE UPDATE customers SET email = 'x' WHERE id = 1;
!! 0A000 EXPLAIN VERBOSE is refused where sealed values are written: it would show the cells
   hint: Leave VERBOSE out.
[full] EXPLAIN (VERBOSE false) INSERT INTO customers (id, email) VALUES (61, 'x');
-> EXPLAIN (VERBOSE false) INSERT INTO "public".customers (id, email) VALUES (61, {CELL customers.email 'x'}::pg_catalog.bytea)
[full] EXPLAIN VERBOSE SELECT email FROM customers WHERE email = 'x';
-> EXPLAIN VERBOSE SELECT email FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea
[full] EXPLAIN SELECT id FROM customer_view;
-> EXPLAIN SELECT id FROM (SELECT c.id,
       c.email,
       c.city AS town
      FROM public.customers c
     WHERE (c.city <> 'x'::text)) AS "customer_view"
[full] EXPLAIN TABLE notes;
-> EXPLAIN TABLE notes
++ untouched
[full] EXPLAIN CREATE TABLE x AS SELECT id FROM customers;
!! 0A000 EXPLAIN of this statement over protected tables is not supported
[full] EXPLAIN CREATE MATERIALIZED VIEW x AS SELECT id FROM customers;
!! 0A000 EXPLAIN of this statement over protected tables is not supported
[full] EXPLAIN DECLARE c CURSOR FOR SELECT id FROM customers;
!! 0A000 EXPLAIN of this statement over protected tables is not supported
[full] EXPLAIN SELECT untagged FROM customers;
!! 42501 permission denied: read of column "public.customers.untagged"
[support] EXPLAIN SELECT id FROM customers;
!! 42501 EXPLAIN with figures over "customers" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = 'x';
-> EXPLAIN (COSTS OFF) SELECT id FROM "public".customers WHERE "customers"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea
[support] EXPLAIN (VERBOSE, COSTS OFF, FORMAT json, SETTINGS) SELECT email FROM customers;
-> EXPLAIN (VERBOSE, COSTS OFF, FORMAT json, SETTINGS) SELECT email FROM "public".customers
[support] EXPLAIN (costs 'OFF', summary off) SELECT id FROM orders;
-> EXPLAIN (costs 'OFF', summary off) SELECT id FROM "public".orders
[support] EXPLAIN (COSTS 0, SETTINGS 1) SELECT id FROM orders;
-> EXPLAIN (COSTS 0, SETTINGS 1) SELECT id FROM "public".orders
[support] EXPLAIN (COSTS OFF, COSTS ON) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF, ANALYZE) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF, ANALYZE OFF) SELECT id FROM orders;
-> EXPLAIN (COSTS OFF, ANALYZE OFF) SELECT id FROM "public".orders
[support] EXPLAIN (COSTS OFF, BUFFERS) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF, MEMORY) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF, SERIALIZE) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF, WAL) SELECT id FROM orders;
!! 42501 EXPLAIN with figures over "orders" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF) SELECT city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE city = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] EXPLAIN SELECT id FROM customer_view;
!! 42501 EXPLAIN with figures over "customers" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN (COSTS OFF) SELECT id, email FROM customer_view WHERE email = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[support] EXPLAIN SELECT * FROM notes WHERE id IN (SELECT id FROM customers);
!! 42501 EXPLAIN with figures over "customers" is refused: they tell of fields that you may not read
   hint: Use EXPLAIN (COSTS OFF), without ANALYZE and what belongs to it.
[support] EXPLAIN SELECT * FROM notes;
-> EXPLAIN SELECT * FROM notes
++ untouched
[client] EXPLAIN (COSTS OFF) SELECT id FROM customers;
!! 0A000 EXPLAIN over "customers" is refused: its figures tell of rows you may not see
[client] EXPLAIN SELECT id FROM customer_view;
!! 0A000 EXPLAIN over "customers" is refused: its figures tell of rows you may not see
[analyst] EXPLAIN (COSTS OFF) SELECT city, count(*) FROM customers GROUP BY city;
!! 0A000 EXPLAIN over "customers" is refused: its figures tell of rows you may not see
[none] EXPLAIN (COSTS OFF) SELECT 1 FROM customers;
!! 42501 permission denied for table "public.customers"
