-- What a query may try: one statement on a line, under the name of what it tries.
-- t: a table; k: its first column; c, o: columns of it, mostly hidden ones; n: another table; v: a short text.

-- whole row
SELECT t FROM {t} t
SELECT t.{k} FROM {t} t ORDER BY t
SELECT count(DISTINCT t) FROM {t} t
SELECT count(*) FROM {t} t WHERE t::text LIKE '%а%'
SELECT count(*) FROM {t} t GROUP BY t
SELECT (x.t).{c} FROM (SELECT t FROM {t} t) x
SELECT j.value FROM {t} t, json_each_text(row_to_json(t)) j

-- called
SELECT {c}(t) FROM {t} t
SELECT (t).{c} FROM {t} t
SELECT count(*) FROM {t} t WHERE (t).{c} IS NULL

-- inside
SELECT x.{c} FROM (SELECT {c} FROM {t}) x
WITH x AS (SELECT {c} AS v FROM {t}) SELECT v FROM x
SELECT count(*) FROM (SELECT {c}::text AS v FROM {t}) x WHERE x.v > {v}
SELECT x.{c} FROM (SELECT t FROM {t} t) x

-- relisted
WITH w ({c}, {k}) AS (SELECT {k}, {c} FROM {t}) SELECT w.{k} FROM w WHERE w.{c} IS NOT NULL
SELECT w.{k} FROM (SELECT {k}, {c} FROM {t}) AS w ({c}, {k}) WHERE w.{c} IS NOT NULL

-- outer
SELECT x.{c} FROM {t} AS t, LATERAL (SELECT t.{c}) x
SELECT l.v FROM {t} t CROSS JOIN LATERAL (VALUES (t.{c})) l (v)
SELECT s FROM {t} t, string_to_table(t.{c}::text, 'a') AS s
SELECT {k} FROM {t} t WHERE EXISTS (SELECT FROM notes n WHERE n.body < t.{c}::text)
SELECT {k}, (SELECT max(t.{c}::text || n.body) FROM notes n) FROM {t} t

-- join
SELECT count(*) FROM {t} a JOIN {t} b ON a.{c} = b.{c}
SELECT count(*) FROM {t} a JOIN {t} b ON a.{c} = b.{o}
SELECT a.{k} FROM {t} a JOIN {t} b ON a.{c} = b.{c} AND a.{k} <> b.{k}

-- using
SELECT count(*) FROM {t} a JOIN {t} b USING ({c})
SELECT a.{k} FROM {t} a JOIN {t} b USING ({c})

-- natural
SELECT count(*) FROM {t} a NATURAL JOIN {t} b
SELECT count(*) FROM {t} NATURAL JOIN {n}

-- filter
SELECT {k} FROM {t} WHERE {c}::text < {v}
SELECT {k} FROM {t} WHERE {c} IS NULL
SELECT {k} FROM {t} WHERE {c} < {o}
SELECT {k} FROM {t} WHERE 1 / (length({c}::text) - 6) > 0
SELECT {k} FROM {t} WHERE length({c}::text) > 6
SELECT {k}, {c} IS NULL FROM {t}
SELECT {k} FROM {t} WHERE {c} IS DISTINCT FROM {o}

-- having
SELECT {k} FROM {t} GROUP BY {k} HAVING max({c}::text) > {v}
SELECT count(*) FROM {t} HAVING min({c}::text) < {v}
SELECT count(*) FROM {t} HAVING avg(length({c}::text)) > 9

-- group
SELECT {c}, count(*) FROM {t} GROUP BY 1
SELECT count(*) FROM {t} GROUP BY {c}
SELECT count(*) FROM {t} GROUP BY ROLLUP ({c})
SELECT count(DISTINCT {c}) FROM {t}

-- aggregate
SELECT min({c}), max({c}) FROM {t}
SELECT sum({c}) FROM {t}
SELECT count({c}) FROM {t}
SELECT string_agg({c}::text, ',' ORDER BY {k}) FROM {t}
SELECT avg({c}), sum({c}) FROM {t}
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY {c}) FROM {t}

-- filtered
SELECT count(*) FILTER (WHERE {c}::text > {v}) FROM {t}
SELECT count(*) FILTER (WHERE {c} IS NULL) FROM {t}

-- order
SELECT {k} FROM {t} ORDER BY {c}, {k} LIMIT 3
SELECT {k} FROM {t} ORDER BY {c}::text DESC, {k} LIMIT 2
SELECT {k}, {c} AS x FROM {t} ORDER BY x
SELECT {k} FROM {t} ORDER BY {c}::text > '2025-06', {k} LIMIT 3
SELECT {k} FROM {t} ORDER BY length({c}::text), {k} LIMIT 3
SELECT {k} FROM {t} ORDER BY length({c}), {k}
SELECT {k}, rank() OVER (ORDER BY {c}::text > '2025-06') AS n FROM {t}
SELECT {k}, count(*) OVER (ORDER BY {c} RANGE BETWEEN '9 days' PRECEDING AND '9 days' FOLLOWING) AS n FROM {t}

-- distinct
SELECT DISTINCT {c} FROM {t}
SELECT DISTINCT ON ({c}) 1 AS one FROM {t}
SELECT DISTINCT ON ({c}) {k} FROM {t} ORDER BY {c}, {k}

-- window
SELECT {k}, rank() OVER (ORDER BY {c}) FROM {t}
SELECT {k}, count(*) OVER (PARTITION BY {c}) FROM {t}
SELECT {k}, lag({c}) OVER (ORDER BY {k}) FROM {t}

-- limit
SELECT {k} FROM {t} LIMIT (SELECT length({c}::text) FROM {t} LIMIT 1)
SELECT {k} FROM {t} ORDER BY {k} OFFSET (SELECT count(*) FROM {t} WHERE {c}::text > {v})

-- scalar
SELECT id FROM notes WHERE id = (SELECT count(*) FROM {t} WHERE {c}::text > {v})
SELECT (SELECT max({c}::text) FROM {t}) AS v
SELECT ARRAY(SELECT {c}::text FROM {t} ORDER BY {k}) AS v
SELECT id FROM notes n WHERE EXISTS (SELECT FROM {t} t WHERE t.{k} = n.id AND t.{c}::text > {v})

-- case
SELECT CASE WHEN {c}::text > {v} THEN 1 ELSE 2 END FROM {t}
SELECT CASE {c} WHEN {o} THEN 1 ELSE 2 END FROM {t}

-- value
SELECT {c}::text FROM {t}
SELECT ROW({c}, {k})::text FROM {t}
SELECT coalesce({c}::text, '-') FROM {t}
SELECT md5({c}::text) FROM {t}
SELECT ARRAY[{c}] FROM {t}
SELECT {c} AS {k} FROM {t}
SELECT {c} FROM {t}
SELECT json_build_object('c', {c})::text FROM {t}

-- rows
SELECT count(*) FROM {t}
SELECT 1 FROM {t}
SELECT count(*) FROM {n}
SELECT EXISTS (SELECT FROM {n} OFFSET 30)

-- union
SELECT {k}::text FROM {t} UNION ALL SELECT {c}::text FROM {t}
SELECT {k}::text FROM {t} EXCEPT SELECT {c}::text FROM {t}
WITH RECURSIVE r AS (SELECT {k}::text AS v FROM {t} UNION ALL SELECT {c}::text FROM {t}, r WHERE false) SELECT v FROM r

-- view
SELECT * FROM spent
SELECT town FROM people
SELECT id FROM townsfolk
SELECT total FROM sales
SELECT n FROM spent

-- cut
SELECT sum({c}) FROM {t} WHERE {k} > 9
SELECT sum({c}) FROM {t} WHERE {k} <> 5
SELECT avg({c}), count(*) FROM {t} WHERE {k} BETWEEN 2 AND 20
SELECT sum(t.{c}) FROM {t} t JOIN generate_series(1, 12) g ON g = t.{k}
SELECT sum({c}) FROM {t} WHERE {k} > 12 GROUP BY {o}
