# Functions that are called as `row.function` and `(expression).function`, and columns that look like it.

[full] SELECT n.body, notes.id FROM notes n, public.notes;
-> SELECT n.body, notes.id FROM notes n, public.notes
++ untouched
[full] SELECT n.leak FROM notes n;
!! 0A000 ".leak" may call a function of which it is not known what it reads or does
   hint: Name the column by its table's own name or alias; a function is called as name(argument).
[full] SELECT (5).leak;
!! 0A000 ".leak" may call a function of which it is not known what it reads or does
   hint: Name the column by its table's own name or alias; a function is called as name(argument).
[full] SELECT (5).abs, (information_schema._pg_expandarray(ARRAY[1])).n;
-> SELECT (5).abs, (information_schema._pg_expandarray(ARRAY[1])).n
++ untouched
[full] SELECT (1::oid).pg_stat_get_live_tuples;
!! 0A000 ".pg_stat_get_live_tuples" may call a function of which it is not known what it reads or does
   hint: Name the column by its table's own name or alias; a function is called as name(argument).
[full] SELECT (city).upper FROM customers;
!! 0A000 (row).field and (row).* are not supported in statements over protected tables
   hint: Name the columns; a function is called as name(argument).
[full] SELECT (c).email FROM customers c;
!! 0A000 "c" as a whole row is not available where protected tables are read
   hint: Name the columns that you need.
[full] SELECT c.upper FROM customers c;
!! 42703 column "c.upper" does not exist
[full] SELECT excluded.leak FROM notes excluded;
!! 0A000 ".leak" may call a function of which it is not known what it reads or does
   hint: Name the column by its table's own name or alias; a function is called as name(argument).
