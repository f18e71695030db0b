"""When a person asked for and a person in the register are the same."""

import re
import unicodedata
from datetime import date

_SEPARATORS = re.compile(r"[\s\-_\u200b-\u200d\u2060\ufeff]+")
_INTERPUNCTS = re.compile("[·•‧∙⋅・･．.●]")


def plain_number(text: str) -> str:
    """Return an identity number as registers write it: half-width, upper case, no blanks."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def plain_name(text: str) -> str:
    """Return the form in which two names are compared.

    The mark between the parts of a minority name is typed in many ways, and blanks creep in;
    different characters stay different.
    """
    unspaced = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    return _INTERPUNCTS.sub("·", unspaced).casefold()


def same_name(wanted: str, name: str, former_name: str) -> bool:
    """Say whether a name is the registered one or the one before it (曾用名)."""
    return plain_name(wanted) in {plain_name(held) for held in (name, former_name) if held}


def has_reached(age: int, born: date, day: date) -> bool:
    """Say whether someone is at least that many years old on a day."""
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years >= age
