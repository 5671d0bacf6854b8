"""I3 as a harness: what a principal may not use leaves no trace in its conversations.

Each seat (a login, sometimes with a purpose of its own) has two databases that differ only in what it may not use
(`hidden.py`).  Statements come from a seeded grammar (`grammar/`) that knows the policy; they are said to both
databases through Fieldgate's own core in this process (`side.py`), and everything that comes back is compared
(`compare.py`).  Upstream the login may do everything, so that nothing but Fieldgate stands in between.

`bugs/` breaks Fieldgate on purpose, one promise at a time: the harness must notice each.  `twin.py` asks the same
statements as somebody who may do everything, and compares with the same rows in plaintext.

    python -m tests.noninterference --statements 100000
"""
