"""The platform sees a child masked only; what is not masked is refused before it is stored.

The gateway masks before it asks. This is the second lock on the same door: a fault on the other
side must not put a name into another agency's database, from which nothing can be called back.
"""

import re
import unicodedata
from collections.abc import Iterable

from gateway.adapter_api import Person

_NAME = re.compile(r".?\*+")
# 18 characters, at most the first two and the last four to be seen: neither county nor birth date.
_ID_NUMBER = re.compile(r"[0-9*]{2}\*{12}[0-9X*]{4}")
_ENROLMENT_NUMBER = re.compile(r"[GJL*]" + _ID_NUMBER.pattern)

_DATE = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
# Looked for at every place: it may stand behind a letter, as in an enrolment number.
_ID_NUMBER_INSIDE = re.compile(rf"(?=([1-9][0-9]{{5}}{_DATE}[0-9]{{3}}[0-9Xx]))")
_TELEPHONES = (
    re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z])0[0-9]{2,3}-?[0-9]{7,8}(?![0-9A-Za-z])"),
)
# The last group of an identifier may look like a telephone number.
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def unmasked_part(person: Person) -> str:
    """Return which part of a person may be read, in words; empty when all is masked."""
    # A date of birth has no masked form.
    if person.birth_date is not None:
        return "date of birth"
    parts = (
        ("name", _NAME, person.name),
        ("identity number", _ID_NUMBER, person.id_number),
        ("enrolment number", _ENROLMENT_NUMBER, person.enrolment_number),
    )
    for part, masked, value in parts:
        if value and not masked.fullmatch(value):
            return part
    return "" if person.masked else "record as a whole"


def holds_identity(texts: Iterable[str]) -> bool:
    """Say whether one of the texts holds an identity number or a telephone number."""
    return any(_holds_identity(text) for text in texts)


def _holds_identity(text: str) -> bool:
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    plain = _UUID.sub(" ", plain)
    numbers = (found[1].upper() for found in _ID_NUMBER_INSIDE.finditer(plain))
    return any(map(_has_check_character, numbers)) or any(
        telephone.search(plain) for telephone in _TELEPHONES
    )


def _has_check_character(number: str) -> bool:
    """Say whether an identity number ends as GB 11643 says; random digits seldom do."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17]
