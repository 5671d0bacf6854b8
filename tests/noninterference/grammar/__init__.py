"""A seeded grammar of statements over the sample, which knows what a seat may use.

Most of what it makes is allowed; some statements use, at one place that may be deep inside, a field for what its verbs
do not say.  Pure: the same seed gives the same statement.
"""
