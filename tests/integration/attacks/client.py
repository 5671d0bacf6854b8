"""client: its own rows, and no data of orders."""

from __future__ import annotations

from .group import Group

CLIENT = (
    Group(
        "client",
        "other people's rows",
        "a table is the principal's own rows of it",
        "",
        (
            "SELECT id FROM customers",
            "SELECT id FROM customers WHERE true OR id = 2",
            "SELECT id FROM (SELECT * FROM customers) x",
            "WITH x AS (SELECT id FROM customers) SELECT id FROM x",
            "SELECT max(id) FROM customers",
            "SELECT count(*) FROM customers",
            "SELECT c.id FROM customers c, customers d",
            "SELECT c.id FROM customers c LEFT JOIN customers d ON d.id = 2 WHERE d.id IS NULL",
            "SELECT DISTINCT customer_id FROM orders",
            "SELECT id FROM shown",
            "SELECT id FROM customers UNION SELECT customer_id FROM orders",
            "SELECT (SELECT max(id) FROM customers)",
            "SELECT id FROM customers WHERE id <> 1 OR id = 1 OR 1/(id - 2) <> 5",
            "SELECT id FROM customers FOR UPDATE",
            "SELECT id FROM ONLY customers",
        ),
        (("1",),),
    ),
    Group(
        "client",
        "one other row, searched for",
        "a table is the principal's own rows of it",
        "",
        (
            "SELECT id FROM customers WHERE id = 2",
            "SELECT id FROM orders WHERE customer_id = 2",
            "UPDATE customers SET city = 'x' WHERE id = 2 RETURNING id",
            "UPDATE customers c SET city = 'x' FROM customers d WHERE c.id = d.id AND d.id = 2 RETURNING c.id",
            "WITH u AS (UPDATE customers SET city = 'x' WHERE id = 2 RETURNING *) SELECT id FROM u",
        ),
        (),
    ),
    Group(
        "client",
        "conditions and figures that could run before the row filter",
        "refused",
        "0A000",
        (
            "UPDATE customers SET city = city WHERE 1/(id - 2) = 1",
            "UPDATE customers SET city = 'x' WHERE id + 0 = 1 AND length('a') = 1",
            "EXPLAIN SELECT * FROM customers",
            "EXPLAIN ANALYZE SELECT id FROM customers WHERE id = 2",
            "INSERT INTO customers (id, surname, name, email, phone, country, city, postal_code, address)"
            " VALUES (2, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') ON CONFLICT (id) DO UPDATE SET city = 'x'",
            "UPDATE customers SET city = 'x' WHERE CURRENT OF c",
        ),
    ),
    Group(
        "client",
        "writing what is not given",
        "explicit denies (D23)",
        "42501",
        (
            "UPDATE customers SET id = 5",
            "UPDATE customers SET status = 'gold'",
            "UPDATE orders SET customer_id = 1",
            "UPDATE orders SET status = 'paid'",
            "UPDATE orders SET submit_hostname = 'x'",
            "DELETE FROM customers",
            "DELETE FROM orders",
            "SELECT tech_notes FROM orders",
            "SELECT submit_ip FROM orders",
            "SELECT login FROM access_accounts",
            "SELECT subject FROM correspondence",
        ),
    ),
)
