"""Real clients' own test suites, in a database with protected tables: how much of them passes through Fieldgate.

Not part of `make test`: the suites bring drivers and sources from elsewhere.  `make suites SUITES=FOLDER` runs them.
"""
