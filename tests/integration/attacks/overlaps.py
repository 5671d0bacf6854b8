"""Differences between figures that are permitted each by itself: all, less what is shown, is what is not shown.

One customer's city is its own (test_attacks.py plants it), so without parts each of these returns a row.
"""

from __future__ import annotations

from .group import Group


def _beyond(shown: str) -> str:
    """The sum over all customers less the sums that are shown, if that is not nothing."""
    return f"SELECT r FROM (SELECT (SELECT sum(id) FROM customers) - ({shown}) AS r) x WHERE r <> 0"


def _summed(groups: str) -> str:
    return f"SELECT sum(n) FROM (SELECT sum(id) AS n FROM customers {groups}) s"


OVERLAPS = (
    Group(
        "analyst",
        "all less what is shown, by refinement, HAVING, set operations and grouping sets",
        "figures are over whole parts of the table, and all parts are shown",
        "",
        (
            _beyond(_summed("GROUP BY city")),
            _beyond(_summed("GROUP BY city, status")),
            _beyond(_summed("GROUP BY city, country, status")),
            _beyond(_summed("GROUP BY city HAVING count(*) > 0")),
            _beyond(_summed("GROUP BY GROUPING SETS ((city))")),
            _beyond("SELECT sum(n) / 2 FROM (SELECT sum(id) AS n FROM customers GROUP BY ROLLUP (city)) s"),
            _beyond("SELECT sum(n) / 4 FROM (SELECT sum(id) AS n FROM customers GROUP BY CUBE (city, status)) s"),
            _beyond(
                "SELECT sum(n) / 2 FROM (SELECT sum(id) AS n FROM customers GROUP BY city "
                "UNION ALL SELECT sum(id) FROM customers GROUP BY status) s"
            ),
            _beyond(
                "SELECT sum(c.n) FROM (VALUES (1)) v, LATERAL (SELECT sum(id) AS n FROM customers GROUP BY city) c"
            ),
            "SELECT n FROM (SELECT count(*) AS n FROM customers GROUP BY city) s WHERE n < 5",
            "WITH a AS (SELECT sum(id) AS n FROM customers), b AS (SELECT sum(id) AS n FROM customers GROUP BY city) "
            "SELECT n - (SELECT sum(n) FROM b) AS r FROM a WHERE n <> (SELECT sum(n) FROM b)",
        ),
        (),
    ),
    Group(
        "analyst",
        "all less what is chosen: by number, by date, by a join, by a correlated subquery, by parameters",
        "policy gives no filter and no join beside a minimum group",
        "42501",
        (
            "SELECT sum(total) FROM orders WHERE id <= 100",
            "SELECT sum(total) FROM orders WHERE id <> 99",
            "SELECT sum(total) FROM orders WHERE id BETWEEN 1 AND 99 GROUP BY status",
            "SELECT sum(total) FROM orders WHERE placed_at < '2025-06-01'",
            "SELECT count(*) FROM customers WHERE registered_at < now() - interval '1 day'",
            "SELECT sum(o.total) FROM orders o JOIN generate_series(1, 99) g ON g = o.id",
            "SELECT sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.city",
            "SELECT sum(o.total) FROM orders o, customers c WHERE c.id = o.customer_id AND c.city = 'x'",
            "SELECT (SELECT sum(o.total) FROM orders o WHERE o.customer_id = c.id) FROM customers c GROUP BY c.id",
            "SELECT sum(total) FROM orders WHERE id IN (SELECT customer_id FROM orders GROUP BY customer_id)",
            "SELECT sum(total) FROM orders WHERE total < 1000 UNION ALL SELECT sum(total) FROM orders",
            "SELECT sum(CASE WHEN id = 99 THEN total END) FROM orders",
            "SELECT sum(total) - sum(nullif(total, 10)) FROM orders",
            "SELECT sum(total) OVER (ORDER BY id) FROM orders",
        ),
    ),
    Group(
        "analyst",
        "a part of the table by itself",
        "figures are over whole tables",
        "0A000",
        ("SELECT sum(total) FROM ONLY orders", "SELECT sum(total) FROM orders TABLESAMPLE BERNOULLI (50)"),
    ),
)
