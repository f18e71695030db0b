"""Identifiers of persons: citizen identity numbers, enrolment numbers, names.

All checks are of form. The six leading digits of an identity number are never compared with any
table and never taken for the household registration: codes change, people move, the number stays
(B19). Values hide themselves in `repr`, and no refusal repeats what was typed: both end in logs.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from gateway.domain.errors import Reason, Refusal

# GB 11643-1999, ISO 7064 MOD 11-2: a place weighs 2^i mod 11, i counted from the right,
# the check character being place 0.
_WEIGHTS = tuple(pow(2, place, 11) for place in range(17, 0, -1))
_CHECK_CHARACTERS = "10X98765432"
_ID_LENGTH = 18
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_EARLIEST_BIRTH_YEAR = 1900
_SEPARATORS = re.compile(r"[\s\-_\u200b-\u200d\u2060\ufeff]+")


class IdFlaw(StrEnum):
    """What is wrong with a number; the `flaw` in the metadata of its refusal."""

    LENGTH = "LENGTH"
    CHARACTERS = "CHARACTERS"
    BIRTH_DATE = "BIRTH_DATE"
    CHECK_DIGIT = "CHECK_DIGIT"
    KIND = "KIND"


_FLAW_SENTENCES = {
    IdFlaw.LENGTH: "has the wrong number of characters",
    IdFlaw.CHARACTERS: "holds a character that has no place there",
    IdFlaw.BIRTH_DATE: "holds no possible date of birth",
    IdFlaw.CHECK_DIGIT: "does not agree with its own check digit",
    IdFlaw.KIND: "must begin with G, J or L",
}


def normalise_id_number(text: str) -> str:
    """Return a typed number in its written form: half-width, upper case, no blanks or hyphens."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_character(first_17: str) -> str:
    """Return the check character of an identity number (GB 11643-1999).

    Args:
        first_17: its first seventeen characters, all digits.

    Raises:
        ValueError: the text is anything else.
    """
    if not re.fullmatch(r"[0-9]{17}", first_17):
        raise ValueError("seventeen digits are needed")
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def _birth_date(digits: str, not_after: date | None) -> date | None:
    """Read YYYYMMDD; None when it is no date, or an impossible one."""
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    late = not_after is not None and birth > not_after
    return None if late or birth.year < _EARLIEST_BIRTH_YEAR else birth


def _flaw(number: str, not_after: date | None) -> IdFlaw | None:
    if len(number) != _ID_LENGTH:
        return IdFlaw.LENGTH
    if not _ID_NUMBER.fullmatch(number):
        return IdFlaw.CHARACTERS
    if check_character(number[:17]) != number[17]:
        return IdFlaw.CHECK_DIGIT
    return None if _birth_date(number[6:14], not_after) else IdFlaw.BIRTH_DATE


@dataclass(frozen=True, slots=True, repr=False)
class IdNumber:
    """A citizen identity number (公民身份号码) whose form is right. Make it with `parse`."""

    value: str
    birth_date: date

    @classmethod
    def parse(cls, text: str, *, not_after: date | None = None) -> Self:
        """Read a typed number.

        Args:
            text: as typed; full-width digits, blanks and a small x are understood.
            not_after: the last possible day of birth, usually today in Asia/Shanghai.

        Raises:
            Refusal: MALFORMED_ID_NUMBER; its metadata names the `flaw`, never the number.
        """
        number = normalise_id_number(text)
        flaw = _flaw(number, not_after)
        if flaw is not None:
            raise Refusal(
                Reason.MALFORMED_ID_NUMBER,
                f"The identity number {_FLAW_SENTENCES[flaw]}.",
                "Compare it with the household register (户口簿) and type it again.",
                field="id_number",
                flaw=flaw.value,
            )
        return cls(number, date.fromisoformat(number[6:14]))

    def __repr__(self) -> str:
        """Return a form fit for logs."""
        return "IdNumber(hidden)"


class EnrolmentKind(StrEnum):
    """The three forms of an enrolment number (学籍号), by its first letter."""

    NATIONAL = "G"
    GENERATED = "J"
    TEMPORARY = "L"


@dataclass(frozen=True, slots=True, repr=False)
class EnrolmentNumber:
    """An enrolment number (学籍号) whose form is right. Make it with `parse`.

    Attributes:
        value: the letter and 18 characters.
        kind: which form it is; an L number later gives way to a G or J one (B16).
    """

    value: str
    kind: EnrolmentKind

    @classmethod
    def parse(cls, text: str, *, not_after: date | None = None) -> Self:
        """Read a typed enrolment number.

        G is followed by a full identity number, perhaps an older one of the child. J is followed
        by area, birth date, sequence and a check character, L by area, birth date and four
        digits; for these two only the form and the date are checked, since no published text
        fixes how the last characters are made.

        Raises:
            Refusal: MALFORMED_ENROLMENT_NUMBER; its metadata names the `flaw`, never the number.
        """
        number = normalise_id_number(text)
        kind = next((kind for kind in EnrolmentKind if number.startswith(kind.value)), None)
        flaw = IdFlaw.KIND if kind is None else cls._flaw_of(kind, number[1:], not_after)
        if kind is None or flaw is not None:
            shown = flaw or IdFlaw.KIND
            raise Refusal(
                Reason.MALFORMED_ENROLMENT_NUMBER,
                f"The enrolment number {_FLAW_SENTENCES[shown]}.",
                "Copy it from the student registry (学籍系统): one letter and 18 characters.",
                field="enrolment_number",
                flaw=shown.value,
            )
        return cls(number, kind)

    @staticmethod
    def _flaw_of(kind: EnrolmentKind, rest: str, not_after: date | None) -> IdFlaw | None:
        flaw = _flaw(rest, not_after)
        if kind is EnrolmentKind.NATIONAL or flaw in (IdFlaw.LENGTH, IdFlaw.CHARACTERS):
            return flaw
        if kind is EnrolmentKind.TEMPORARY and not rest.isdecimal():
            return IdFlaw.CHARACTERS
        return None if _birth_date(rest[6:14], not_after) else IdFlaw.BIRTH_DATE

    def __repr__(self) -> str:
        """Return a form fit for logs."""
        return f"EnrolmentNumber({self.kind.value}, hidden)"


def mask_id_number(number: str) -> str:
    """Return a number for preview: the first two and the last four characters, stars between.

    The date of birth and the county never show. Anything shorter than an identity number shows
    nothing at all.
    """
    if len(number) < _ID_LENGTH:
        return "*" * len(number)
    return number[:2] + "*" * (len(number) - 6) + number[-4:]


def mask_enrolment_number(number: str) -> str:
    """Return an enrolment number for preview: its letter, then as for an identity number."""
    return (
        number[:1] + mask_id_number(number[1:]) if len(number) > _ID_LENGTH else "*" * len(number)
    )


def mask_name(name: str) -> str:
    """Return a name for preview: its first character, a star for each other one."""
    return name[:1] + "*" * (len(name) - 1)


def mask_phone(phone: str) -> str:
    """Return a telephone number for preview: its last four digits, stars before."""
    shown = 4 if len(phone) > 7 else 0  # noqa: PLR2004  a short extension would show whole
    return "*" * (len(phone) - shown) + phone[len(phone) - shown :]


# B29: the mark between the parts of a minority name is typed in many ways.
_INTERPUNCTS = re.compile("[·•‧∙⋅・･．.。●◦⸱ᐧ\u0387\u2024\u22c4]")
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]+")


def matching_name(name: str) -> str:
    """Return the form of a name in which two records are compared (B29).

    Compatibility forms, blanks, invisible marks, letter case and the many interpuncts are made
    one. Different characters stay different: 吕 and 呂 are two names until an officer says not.
    """
    # Folding and leaving marks out can make forms that compose anew, hence the second pass.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", name).casefold())
    visible = _INVISIBLE.sub("", folded)
    return _INTERPUNCTS.sub("·", unicodedata.normalize("NFKC", visible.casefold()))


@dataclass(frozen=True, slots=True, repr=False)
class PersonName:
    """A name kept as it was written, for documents, with its form for comparison (B29)."""

    original: str

    @property
    def matching(self) -> str:
        """The form in which two records are compared; never printed on a document."""
        return matching_name(self.original)

    def __repr__(self) -> str:
        """Return a form fit for logs."""
        return "PersonName(hidden)"
