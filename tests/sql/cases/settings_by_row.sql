# set_config of a setting that a row of pg_settings names, as pg_dump writes it: the WHERE clause says which one it is.

[none] SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind';
-> SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
++ untouched
[none] SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'extra_float_digits';
-> SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'extra_float_digits'
++ untouched
[none] SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'role';
!! 0A000 set_config of role is not supported
   hint: Use SET role.
[none] SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'Search_Path';
!! 0A000 set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, of search_path with constants
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'fieldgate.purpose';
!! 0A000 set_config of fieldgate.purpose is not supported
   hint: Use SET fieldgate.purpose.
[none] SELECT set_config(name, 'x', false) FROM pg_settings;
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM pg_settings WHERE name <> 'role';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM pg_settings WHERE name ~ 'x' OR name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(setting, 'x', false) FROM pg_settings WHERE name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(upper(name), 'x', false) FROM pg_settings WHERE name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM pg_settings, notes WHERE name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM notes WHERE name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
[none] SELECT set_config(name, 'x', false) FROM pg_settings AS s (setting, name) WHERE name = 'extra_float_digits';
-> SELECT set_config(name, 'x', false) FROM pg_settings AS s (setting, name) WHERE name = 'extra_float_digits'
++ untouched
[none] SELECT (SELECT set_config(name, 'x', false)) FROM pg_settings WHERE name = 'extra_float_digits';
!! 0A000 set_config is supported with a constant name only
   hint: Use SET.
