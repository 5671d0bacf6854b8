# Select lists: cells are opened where the server can say where they come from; denied columns are NULL in `*`.

[full] SELECT 1;
-> SELECT 1
++ untouched
[full] SELECT id, body FROM notes;
-> SELECT id, body FROM notes
++ untouched
[full] SELECT email FROM customers;
-> SELECT email FROM "public".customers
:: email=open(customers.email)
[full] SELECT public.customers.email FROM public.customers;
-> SELECT public.customers.email FROM public.customers
:: email=open(customers.email)
[full] SELECT shop.public.customers.email FROM shop.public.customers;
-> SELECT shop.public.customers.email FROM shop.public.customers
:: email=open(customers.email)
[full] SELECT "email", EMAIL FROM CUSTOMERS AS "C";
-> SELECT "email", EMAIL FROM "public".CUSTOMERS AS "C"
:: email=open(customers.email), email=open(customers.email)
[full] SELECT email AS "mail of ""x""", c.name n FROM customers c;
-> SELECT email AS "mail of ""x""", c.name n FROM "public".customers c
:: mail of "x"=open(customers.email), n=open(customers.name)
[full] SELECT * FROM customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] SELECT c.*, 1 AS one FROM customers AS c;
-> SELECT "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", 1 AS one FROM "public".customers AS c
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, one
[full] SELECT *, o.* FROM customers c, orders o;
-> SELECT "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", "o"."id", "o"."customer_id", "o"."total", "o"."status", "o"."tech_notes", "o"."placed_at", "o"."recipient", "o"."id", "o"."customer_id", "o"."total", "o"."status", "o"."tech_notes", "o"."placed_at", "o"."recipient" FROM "public".customers c, "public".orders o
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient), id, customer_id, total, status, tech_notes, placed_at, recipient=open(orders.recipient)
[support] SELECT * FROM customers;
-> SELECT "customers"."id", CAST(NULL AS text) AS "city", CAST(NULL AS text) AS "status", "customers"."email", "customers"."name", "customers"."phone", CAST(NULL AS pg_catalog.date) AS "born", CAST(NULL AS pg_catalog.int4) AS "score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born, score, untagged
[support] SELECT o.*, c.email FROM customers c JOIN orders o ON o.customer_id = c.id;
-> SELECT "o"."id", CAST(NULL AS bigint) AS "customer_id", CAST(NULL AS numeric) AS "total", "o"."status", "o"."tech_notes", "o"."placed_at", CAST(NULL AS pg_catalog.text) AS "recipient", c.email FROM "public".customers c JOIN "public".orders o ON o.customer_id = c.id
:: id, customer_id, total, status, tech_notes, placed_at, recipient, email=open(customers.email)
[reader] SELECT * FROM accounts;
-> SELECT "accounts"."id", "accounts"."customer_id", "accounts"."login", "accounts"."password" FROM "public".accounts
:: id, customer_id, login=open(accounts.login), password=open(accounts.password, row key 0)
[none] SELECT * FROM customers;
!! 42501 permission denied for table "public.customers"
[support] SELECT city FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] SELECT untagged FROM customers;
!! 42501 permission denied: read of column "public.customers.untagged"
[full] SELECT untagged FROM customers;
!! 42501 permission denied: read of column "public.customers.untagged"
[full] SELECT nonsense FROM customers;
!! 42703 column "nonsense" does not exist
[full] SELECT fg_email_eq FROM customers;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] SELECT c.fg_email_eq FROM customers c;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] SELECT id AS fg_x FROM customers;
!! 42703 names beginning with fg_ are not available in statements over protected tables
[full] SELECT c FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT (c).email FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT email(c) FROM customers c;
!! 0A000 the function email is not known to be harmless in a statement over protected tables
   hint: Call it in a statement of its own, or ask for it to be allowed in the data map.
[full] SELECT c.lower FROM customers c;
!! 42703 column "c.lower" does not exist
[full] SELECT to_json(c) FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT row(c.*) FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT count(c) FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT count(c.*) FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT ctid FROM customers;
!! 42501 permission denied: system column "ctid" of a protected table
[full] SELECT c.xmin, c.tableoid FROM customers c;
!! 42501 permission denied: system column "xmin" of a protected table
[full] SELECT ctid FROM customers, generate_series(1, 2);
!! 42501 permission denied: system column "ctid" of a protected table
[full] SELECT n.ctid, c.id FROM notes n, customers c;
-> SELECT n.ctid, c.id FROM notes n, "public".customers c
[full] SELECT email::text, name::varchar, CAST(phone AS text) FROM customers;
-> SELECT email::pg_catalog.bytea, name::pg_catalog.bytea, CAST(phone AS pg_catalog.bytea) FROM "public".customers
:: email=open(customers.email), name=open(customers.name), phone=open(customers.phone)
[full] SELECT born::date, score::int FROM customers;
-> SELECT born::pg_catalog.bytea, score::pg_catalog.bytea FROM "public".customers
:: born=open(customers.born), score=open(customers.score)
[full] SELECT email::varchar(3) FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a cast to another type
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT CASE WHEN city = 'x' THEN email END FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in CASE
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT (SELECT email FROM customers LIMIT 1);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a scalar or ARRAY subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT ARRAY(SELECT email FROM customers);
!! 0A000 the sealed column "email" (public.customers.email) can not be used in a scalar or ARRAY subquery
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT ARRAY[email] FROM customers;
!! 0A000 the sealed column "email" (public.customers.email) can not be used in ARRAY[...]
   hint: Sealed columns can be selected as they are, compared with = <> IN, = ANY or IS NULL where the data map gives them equality, joined within their join group, grouped and counted.
[full] SELECT email = 'a' AS hit FROM customers;
-> SELECT "customers"."fg_email_eq" = {TERM customers.email 'a'}::pg_catalog.bytea AS hit FROM "public".customers
[full] SELECT email IS NULL, phone IS NOT NULL FROM customers;
-> SELECT email IS NULL, phone IS NOT NULL FROM "public".customers
[full] SELECT upper(city), length(status) + 1 FROM customers;
-> SELECT upper(city), length(status) + 1 FROM "public".customers
[support] SELECT upper(city) FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[support] SELECT CASE WHEN city = 'x' THEN 1 ELSE 0 END FROM customers;
!! 42501 permission denied: read of column "public.customers.city"
[reader] SELECT CASE WHEN city = 'x' THEN 1 ELSE 0 END FROM customers;
!! 42501 permission denied: filter_eq of column "public.customers.city"
[masked] SELECT id, email, city FROM customers;
-> SELECT id, CAST(NULL AS pg_catalog.text) AS "email", CAST(NULL AS text) AS "city" FROM "public".customers
[masked] SELECT upper(city) FROM customers;
-> SELECT upper(CAST(NULL AS text)) FROM "public".customers
[masked] SELECT email FROM customers WHERE city = 'x';
!! 42501 permission denied: filter_eq of column "public.customers.city"
[masked] SELECT s.email FROM (SELECT id, email FROM customers) s;
-> SELECT CAST(NULL AS pg_catalog.text) AS "email" FROM (SELECT id, CAST(NULL AS pg_catalog.text) AS "email" FROM "public".customers) s
[full] SELECT c.*, n.* FROM customers c, notes n;
-> SELECT "c"."id", "c"."city", "c"."status", "c"."email", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged", "n"."id", "n"."customer_id", "n"."body", "n"."email" FROM "public".customers c, notes n
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged, id, customer_id, body, email
[full] SELECT c.id, now(), current_user, current_date FROM customers c;
-> SELECT c.id, now(), current_user, current_date FROM "public".customers c
[full] SELECT email FROM customers FOR UPDATE;
-> SELECT email FROM "public".customers FOR UPDATE
:: email=open(customers.email)
[full] SELECT c.email FROM customers c JOIN orders o ON o.customer_id = c.id FOR UPDATE OF c SKIP LOCKED;
-> SELECT c.email FROM "public".customers c JOIN "public".orders o ON o.customer_id = c.id FOR UPDATE OF c SKIP LOCKED
:: email=open(customers.email)
[full] SELECT email FROM customers LIMIT $1 OFFSET 2;
-> SELECT email FROM "public".customers LIMIT $1 OFFSET 2
:: email=open(customers.email)
++ physical=PLAIN($1)
[full] SELECT email FROM ONLY customers;
-> SELECT email FROM ONLY "public".customers
:: email=open(customers.email)
[full] SELECT email FROM customers *;
-> SELECT email FROM "public".customers *
:: email=open(customers.email)
[full] TABLE customers;
-> SELECT "customers"."id", "customers"."city", "customers"."status", "customers"."email", "customers"."name", "customers"."phone", "customers"."born", "customers"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers
:: id, city, status, email=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] SELECT FROM customers;
-> SELECT FROM "public".customers
[full] SELECT email INTO copy FROM customers;
!! 0A000 the sealed column "public.customers.email" can not be copied into another column
   hint: Select it, and insert what you got.
[full] SELECT * FROM customers AS c(a, b, d, mail) WHERE mail = 'x';
-> SELECT "c"."a", "c"."b", "c"."d", "c"."mail", "c"."name", "c"."phone", "c"."born", "c"."score", CAST(NULL AS text) AS "untagged" FROM "public".customers AS c(a, b, d, mail) WHERE "c"."fg_email_eq" = {TERM customers.email 'x'}::pg_catalog.bytea
:: a, b, d, mail=open(customers.email), name=open(customers.name), phone=open(customers.phone), born=open(customers.born), score=open(customers.score), untagged
[full] SELECT a, mail FROM customers AS c(a, b, d, mail) WHERE c.mail = $1 ORDER BY a;
-> SELECT a, mail FROM "public".customers AS c(a, b, d, mail) WHERE "c"."fg_email_eq" = {TERM customers.email $1}::pg_catalog.bytea ORDER BY a
:: a, mail=open(customers.email)
++ physical=TERM($1); described=$1:25
[full] SELECT email FROM customers TABLESAMPLE system (10);
!! 0A000 TABLESAMPLE is not supported over protected tables
[full] SELECT password FROM accounts;
-> SELECT password, "accounts"."id" FROM "public".accounts
:: password=open(accounts.password, row key 1)
++ hidden=1
[full] SELECT id, password FROM accounts;
-> SELECT id, password FROM "public".accounts
:: id, password=open(accounts.password, row key 0)
[full] SELECT * FROM accounts;
-> SELECT "accounts"."id", "accounts"."customer_id", "accounts"."login", "accounts"."password" FROM "public".accounts
:: id, customer_id, login=open(accounts.login), password=open(accounts.password, row key 0)
[full] SELECT password, password AS again, login FROM accounts a WHERE a.id = 5;
-> SELECT password, password AS again, login, "a"."id" FROM "public".accounts a WHERE a.id = 5
:: password=open(accounts.password, row key 3), again=open(accounts.password, row key 3), login=open(accounts.login)
++ hidden=1
[full] SELECT s.password FROM (SELECT password FROM accounts) s;
-> SELECT s.password, "s"."fg_1" FROM (SELECT password, "accounts"."id" AS "fg_1" FROM "public".accounts) s
:: password=open(accounts.password, row key 1)
++ hidden=1
[full] SELECT s.password FROM (SELECT id, password FROM accounts) s;
-> SELECT s.password, "s"."id" FROM (SELECT id, password FROM "public".accounts) s
:: password=open(accounts.password, row key 1)
++ hidden=1
[full] SELECT p FROM (SELECT id AS k, password AS p FROM accounts) s;
-> SELECT p, "s"."k" FROM (SELECT id AS k, password AS p FROM "public".accounts) s
:: p=open(accounts.password, row key 1)
++ hidden=1
