# What could come to mean something else by DDL that nobody else sees yet is qualified.

[full] SELECT id FROM customers WHERE EXISTS (SELECT 1 FROM notes WHERE email = 'x');
-> SELECT id FROM "public".customers WHERE EXISTS (SELECT 1 FROM notes WHERE "notes"."email" = 'x')
[full] SELECT c.id, body FROM customers c JOIN notes ON c.id = customer_id ORDER BY body;
-> SELECT c.id, "notes"."body" FROM "public".customers c JOIN notes ON c.id = "notes"."customer_id" ORDER BY body
[full] SELECT count(*), body FROM customers c JOIN notes n ON c.id = n.id GROUP BY body HAVING body <> 'x';
-> SELECT count(*), "n"."body" FROM "public".customers c JOIN notes n ON c.id = n.id GROUP BY "n"."body" HAVING "n"."body" <> 'x'
[full] SELECT body AS town FROM notes WHERE EXISTS (SELECT FROM customers c WHERE c.city = body);
-> SELECT "notes"."body" AS town FROM notes WHERE EXISTS (SELECT FROM "public".customers c WHERE c.city = "notes"."body")
[full] SELECT n.body FROM notes n JOIN customers USING (id);
-> SELECT n.body FROM notes n JOIN "public".customers USING (id)
[full] INSERT INTO notes (body) SELECT body FROM notes WHERE id IN (SELECT id FROM customers) RETURNING body;
-> INSERT INTO notes (body) SELECT "notes"."body" FROM notes WHERE "notes"."id" IN (SELECT id FROM "public".customers) RETURNING "notes"."body"
[full] UPDATE notes SET body = body || 'x' WHERE id = (SELECT min(id) FROM customers);
-> UPDATE notes SET body = "notes"."body" || 'x' WHERE "notes"."id" = (SELECT min(id) FROM "public".customers)
