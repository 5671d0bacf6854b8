"""The job runner: carries out operations over keys, in a process of its own, which alone may change protected tables.

PgQueuer (proxy/jobs/queue.py) hands operations to runners and notices when one has died; what is to be done, and how
far it is, stands in the operations' records and in the databases.
"""
