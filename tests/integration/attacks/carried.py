"""What the proxy carries out itself, figures over parts, searches under names, and whom a session speaks for."""

from __future__ import annotations

from dataclasses import replace

from .group import Group

_PERSONS = ("support", "accounting", "client", "analyst", "dpo", "hr")

WORKED_OUT = (
    Group(
        "support",
        "a hidden field beside a readable one in what is worked out of it",
        "every column of an expression needs read",
        "42501",
        (
            "SELECT concat(surname, city) FROM customers",
            "SELECT concat_ws(',', surname, id, city) FROM customers",
            "SELECT coalesce(patronymic, city) FROM customers",
            "SELECT surname || status FROM customers",
            "SELECT replace(surname, city, '') FROM customers",
            "SELECT strpos(surname, address) FROM customers",
            "SELECT pg_catalog.upper(surname), (SELECT max(city) FROM customers) FROM customers",
            "SELECT lower(x.surname) FROM (SELECT surname, city FROM customers) x ORDER BY x.city",
            "SELECT lower(o.recipient_name) FROM orders o",
            "SELECT lower(surname), ctid FROM customers",
            "SELECT length(surname), octet_length(address) FROM customers",
            "SELECT to_char(placed_at, 'YYYY') || recipient_phone FROM orders",
        ),
    ),
    Group(
        "support",
        "order, smallest value and different values, carried out in the proxy",
        "order, aggregate and group are verbs of their own, whoever carries them out",
        "42501",
        (
            "SELECT lower(surname) FROM customers ORDER BY 1",
            "SELECT surname FROM customers ORDER BY surname",
            "SELECT id FROM customers ORDER BY lower(surname), id LIMIT 1",
            'SELECT id FROM customers ORDER BY surname COLLATE "C", city',
            "SELECT id FROM orders ORDER BY submit_ip",
            "SELECT id FROM customers ORDER BY surname = 'a'",
            "SELECT id FROM customers ORDER BY CASE WHEN surname = 'a' THEN 1 END",
            "SELECT lower(x) FROM (VALUES ('a')) v(x), customers ORDER BY surname",
            "SELECT min(surname) FROM customers",
            "SELECT max(surname), count(*) FROM customers WHERE email = 'a'",
            "SELECT min(email), max(email), count(*) FROM customers",
            "SELECT count(submit_ip) FROM orders",
            "SELECT count(DISTINCT submit_ip) FROM orders",
            "SELECT DISTINCT surname FROM customers",
            "SELECT DISTINCT lower(surname) FROM customers",
        ),
    ),
    Group(
        "support",
        "a value that is worked out, used further",
        "it is worked out for the outermost select list only",
        "0A000",
        (
            "SELECT id FROM customers WHERE lower(surname) = 'a'",
            "SELECT lower(surname) FROM customers GROUP BY lower(surname)",
            "SELECT lower(surname) FROM customers UNION ALL SELECT 'a'",
            "WITH x AS (SELECT lower(surname) AS l FROM customers) SELECT l FROM x",
            "SELECT ARRAY(SELECT lower(surname) FROM customers)",
            "SELECT lower(surname) INTO TEMP x FROM customers",
            "DECLARE c CURSOR FOR SELECT lower(surname) FROM customers",
            "PREPARE p AS SELECT lower(surname) FROM customers",
            "COPY (SELECT lower(surname) FROM customers) TO STDOUT",
            "SELECT left(surname, id::int) FROM customers",
            "SELECT concat(surname, VARIADIC ARRAY['a']) FROM customers",
            "SELECT coalesce(surname, peek()) FROM customers",
            "SELECT coalesce(surname, (SELECT city FROM customers LIMIT 1)) FROM customers",
            "SELECT min(surname) OVER () FROM customers",
            "SELECT surname LIKE 'a%' FROM customers",
            "SELECT id FROM customers ORDER BY surname LIKE 'a%'",
            "SELECT lower(c.*::text) FROM customers c",
        ),
    ),
)

SEARCHED = (
    Group(
        "hr",
        "a search by range where what it drops could be counted, locked, copied or compared",
        "only in WHERE of a SELECT, UPDATE or DELETE of its own",
        "0A000",
        (
            "SELECT count(*) FROM employees WHERE birth_date < '1990-01-01'",
            "SELECT id FROM employees WHERE birth_date < '1990-01-01' OR id = 1",
            "SELECT id FROM employees WHERE NOT birth_date >= '1990-01-01'",
            "SELECT e.id FROM employees e JOIN employees f ON e.birth_date < f.birth_date",
            "SELECT id FROM employees WHERE birth_date < '1990-01-01' LIMIT (SELECT 1)",
            "SELECT id FROM employees WHERE birth_date < '1990-01-01' FOR SHARE",
            "SELECT row_number() OVER () FROM employees WHERE birth_date < '1990-01-01'",
            "SELECT id FROM employees WHERE birth_date < '1990-01-01' UNION SELECT 1",
            "WITH x AS (SELECT id FROM employees WHERE birth_date < '1990-01-01') SELECT * FROM x",
            "INSERT INTO notes (id) SELECT id FROM employees WHERE birth_date < '1990-01-01'",
            "COPY (SELECT id FROM employees WHERE birth_date < '1990-01-01') TO STDOUT",
            "DECLARE c CURSOR FOR SELECT id FROM employees WHERE birth_date < '1990-01-01' FOR UPDATE",
            "PREPARE p AS UPDATE employees SET phone = $1 WHERE birth_date < $2",
            "PREPARE p (text) AS SELECT id FROM employees WHERE birth_date < $1",
            "UPDATE employees SET phone = 'x' WHERE birth_date < now()",
            "UPDATE employees SET phone = 'x' WHERE birth_date < '1990-01-01' AND random() < 2",
            "UPDATE employees SET phone = 'x' WHERE birth_date < '1990-01-01' AND EXISTS (SELECT FROM notes)",
            "WITH u AS (UPDATE employees SET phone = 'x' WHERE birth_date < '1990-01-01' RETURNING id) SELECT * FROM u",
            "EXPLAIN ANALYZE UPDATE employees SET phone = 'x' WHERE birth_date < '1990-01-01'",
        ),
    ),
    Group(
        "hr",
        "writes and reads by a search, without the right",
        "a search gives no right over rows or fields",
        "42501",
        (
            "DELETE FROM employees WHERE birth_date < '1990-01-01'",
            "UPDATE customers SET city = 'x' WHERE surname LIKE 'Сми%'",
            "PREPARE p AS SELECT note FROM health_records WHERE employee_id IN (SELECT id FROM employees)",
            "UPDATE employees e SET phone = 'x' FROM customers c WHERE c.id = e.id AND e.birth_date < '1990-01-01'",
            "UPDATE employees SET position = (SELECT city FROM customers LIMIT 1) WHERE birth_date < '1990-01-01'",
        ),
    ),
    Group(
        "client",
        "own rows, found or written by a search",
        "filter_range is not the client's",
        "42501",
        (
            "UPDATE customers SET city = 'x' WHERE surname LIKE 'Сми%'",
            "UPDATE ONLY customers SET city = DEFAULT WHERE name LIKE 'Анн%' RETURNING id",
            "PREPARE p AS UPDATE customers SET city = $1 WHERE surname LIKE $2",
            "PREPARE p AS SELECT id FROM customers WHERE surname LIKE $1",
            "DECLARE c CURSOR WITH HOLD FOR SELECT id FROM customers WHERE surname ^@ 'См'",
            "DELETE FROM customers WHERE surname LIKE 'Сми%'",
        ),
    ),
)

FIGURES = (
    Group(
        "analyst",
        "a figure that belongs to a query further out, or to a part of the table",
        "figures are over whole tables, and it must be clear where they are worked out",
        "0A000",
        (
            "SELECT (SELECT sum(o.total)) FROM orders o",
            "SELECT (SELECT count(o.id) FROM notes LIMIT 1) FROM orders o",
            "SELECT (SELECT count(o.id) FROM customers c LIMIT 1) FROM orders o",
            "SELECT 1 FROM orders o HAVING (SELECT sum(o.total)) > 5",
            "SELECT count(*) FROM ONLY orders",
            "EXPLAIN (COSTS OFF) SELECT sum(total) FROM orders GROUP BY status",
        ),
    ),
    Group(
        "analyst",
        "rows chosen by how many or how much they are",
        "what is grouped is grouped whole; what is shown in groups chooses no rows",
        "42501",
        (
            "SELECT sum(total) FROM (SELECT total FROM orders LIMIT 6) s",
            "SELECT sum(s.total) FROM (SELECT DISTINCT total FROM orders) s",
            "SELECT sum(DISTINCT total) FROM orders",
            "SELECT stddev(total) FROM orders",
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders",
            "SELECT sum(total ORDER BY id) FROM orders",
            "SELECT sum(sum(total)) OVER (ORDER BY status) FROM orders GROUP BY status",
            "SELECT sum(count(*)) OVER (ROWS UNBOUNDED PRECEDING) FROM orders GROUP BY status",
            "SELECT sum(total) FROM orders o WHERE o.status = (SELECT min(o.status))",
            "SELECT sum(total) FROM orders o JOIN (SELECT status FROM orders GROUP BY status LIMIT 1) s USING (status)",
            "SELECT sum(total) FROM orders WHERE status IN (SELECT status FROM orders GROUP BY status LIMIT 1)",
            "SELECT count(o.id), n.id FROM notes n LEFT JOIN orders o ON o.status = n.note GROUP BY n.id",
            "PREPARE p AS SELECT sum(total) FROM orders WHERE status = $1",
            "CREATE TEMP TABLE x AS SELECT status, sum(total) FROM orders GROUP BY status",
        ),
    ),
)

SPOKEN_FOR = tuple(
    replace(group, role=role)
    for role in _PERSONS
    for group in (
        Group(
            "persons",
            "speaking for somebody else",
            "only a service acts for others",
            "28000",
            (
                "SET fieldgate.subject = '2'",
                "SET SESSION fieldgate.subject TO '2'",
                'SET "fieldgate.subject" TO 2',
                "SET FieldGate.Subject = 2",
                "SET fieldgate.person = 'management'",
            ),
        ),
        Group(
            "persons",
            "the session's own words by side doors",
            "they are set by SET, for the session",
            "0A000",
            (
                "SET LOCAL fieldgate.subject = '2'",
                "SELECT set_config('fieldgate.subject', '2', false)",
                "SELECT set_config('FIELDGATE.subject', '2', true)",
            ),
        ),
        Group(
            "persons",
            "words that nobody may say of himself",
            "there are no such settings",
            "42704",
            (
                "SET fieldgate.principal = 'management'",
                "SET fieldgate.role = 'management'",
                "SET fieldgate.login = 'x'",
            ),
        ),
        Group(
            "persons",
            "names of ours for things of theirs",
            "names that begin with fg_ are ours in statements over protected tables",
            "42703",
            (
                "WITH fg_form AS (SELECT 1) SELECT id FROM customers",
                "SELECT id FROM customers AS fg_r",
                "SELECT id AS fg_x FROM customers",
                'SELECT id FROM customers, (SELECT 1) AS "fg_keys"',
            ),
        ),
    )
)

CARRIED = (*WORKED_OUT, *SEARCHED, *FIGURES, *SPOKEN_FOR)
