"""Errors of policy files and decisions."""

from __future__ import annotations


class PolicyError(Exception):
    """A data map or policy that is wrong: `file`, `line` (1-based, 0 unknown) and `key` say where."""

    def __init__(self, message: str, *, file: str = "", line: int = 0, key: str = "") -> None:
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{where}{f'{key}: ' if key else ''}{message}")
        self.file, self.line, self.key, self.reason = file, line, key, message


class PrincipalRefused(Exception):
    """This login may not act like this (unknown purpose, no case, no person named).  Never repeats what was typed."""


class AuditSinkFailed(Exception):
    """The audit sink cannot take records: no protected data may leave."""
