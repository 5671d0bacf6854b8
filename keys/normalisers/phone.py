"""`e164.1:REGION`: telephone numbers as people write them, in one form: + and digits (ITU-T E.164).  Pure and total.

The rule is ours and frozen, on purpose: a library that follows the world's numbering plans reads the same text
otherwise next month, and its terms would no longer be found.  What is no number by this rule stays as it is; what is
one becomes a text that stays itself when it is normalised again, so the two never meet.
"""

from __future__ import annotations

from .numbering import Plan

_SEPARATORS = dict.fromkeys(map(ord, " \xa0\u202f-\u2010\u2011\u2012\u2013\u2014./()"))
_SHORTEST, _LONGEST = 7, 15  # digits of another country's number, with its code; E.164 has at most 15


def e164(text: str, plan: Plan) -> str:
    """`+` and digits, or the text itself when it is no number as it is dialled in the region of the plan."""
    written = text.translate(_SEPARATORS)
    digits = written.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return text
    if len(digits) < len(written):
        found = _international(digits, plan)
    elif plan.international and digits.startswith(plan.international):
        found = _international(digits.removeprefix(plan.international), plan)
    else:
        found = _own(digits, plan) or (_own_with_code(digits, plan) if digits.startswith(plan.country) else None)
    return text if found is None else f"+{found}"


def _international(digits: str, plan: Plan) -> str | None:
    """Behind + or the international prefix: a number of this region is held to its plan, any other to its length."""
    if digits.startswith(plan.country):
        return _own_with_code(digits, plan)
    return digits if _SHORTEST <= len(digits) <= _LONGEST and digits[0] != "0" else None


def _own_with_code(digits: str, plan: Plan) -> str | None:
    return _own(digits.removeprefix(plan.country), plan)


def _own(digits: str, plan: Plan) -> str | None:
    """A national number, with its trunk prefix or without.

    Where the trunk prefix is 0, no national number begins with one; other trunk prefixes are taken away only when
    the number is too long with them.
    """
    national = digits
    if plan.trunk and digits.startswith(plan.trunk) and (plan.trunk == "0" or len(digits) not in plan.lengths):
        national = digits.removeprefix(plan.trunk)
        if plan.trunk == "0" and national.startswith("0"):
            return None
    return plan.country + national if len(national) in plan.lengths else None
