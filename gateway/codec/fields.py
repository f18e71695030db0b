"""Checking the fields of a request: each check names the field it found wanting."""

import re
import unicodedata
from datetime import UTC, date, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that no field holds: control, format (zero width, direction), separators.

Private use and unassigned characters are let through: rare hanzi of names may be among them.
"""
_ONE_LINE = 200
"""A field of at most so many characters is one line; a longer one may have line breaks and tabs."""


_POSITION_DIGITS = 15
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def missing(field: str) -> Refusal:
    """Make the refusal of a request without a required field."""
    return Refusal(Reason.MISSING_FIELD, f"{field} is required.", f"Fill in {field}.", field=field)


def invalid(field: str, message: str, advice: str) -> Refusal:
    """Make the refusal of a field whose value is out of form or bounds."""
    return Refusal(Reason.INVALID_FIELD, message, advice, field=field)


def text(value: str, field: str, most: int, *, required: bool = False) -> str:
    """Return the text without surrounding space.

    Raises Refusal: MISSING_FIELD, or INVALID_FIELD when it is longer than `most` characters or
    holds control, zero-width or direction-changing characters. Line breaks and tabs are for fields
    of more than 200 characters.
    """
    value = value.strip()
    if required and not value:
        raise missing(field)
    if len(value) > most:
        raise invalid(field, f"{field} is longer than {most} characters.", "Shorten it.")
    breaks = "\n\t" if most > _ONE_LINE else ""
    if not value.isprintable() and any(
        unicodedata.category(c) in _INVISIBLE and c not in breaks for c in value
    ):
        raise invalid(
            field, f"{field} holds control characters.", "Remove invisible characters from it."
        )
    return value


def digits(value: str, field: str, most: int) -> str:
    """Return a code of at most `most` ASCII digits, or an empty text. Raises Refusal(INVALID_FIELD).

    Whether a division has that code is not checked here.
    """
    value = text(value, field, most)
    if value and not (value.isascii() and value.isdecimal()):
        raise invalid(field, f"{field} is not a code of digits.", "Write the code, not the name.")
    return value


def uuid(value: str, field: str) -> str:
    """Return a UUID in canonical form. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    if not value:
        raise missing(field)
    if _UUID.fullmatch(value):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        raise invalid(
            field, f"{field} is not a UUID.", "Write it as 8-4-4-4-12 hexadecimal digits."
        ) from None


def day(value: str, field: str) -> date:
    """Return the date of a `YYYY-MM-DD` text. Raises Refusal(MISSING_FIELD or INVALID_FIELD)."""
    if not value:
        raise missing(field)
    try:
        found = date.fromisoformat(value)
        if found.isoformat() == value:  # other ISO forms name a day too, but not in one way
            return found
    except ValueError:
        pass
    raise invalid(field, f"{field} is not a date.", "Write dates as YYYY-MM-DD.")


def optional_day(value: str, field: str) -> str:
    """Return the text of a date, or an empty one. Raises Refusal(INVALID_FIELD)."""
    return day(value, field).isoformat() if value else ""


def organisation(value: str, field: str) -> OrgId:
    """Return the organisation. Raises Refusal(MISSING_FIELD or MALFORMED_ORGANISATION)."""
    if not value:
        raise missing(field)
    try:
        return OrgId.parse(value)
    except Refusal as refusal:
        refusal.field = field
        raise


def page_size(value: int, default: int, most: int) -> int:
    """Return the size of a page. Raises Refusal(INVALID_FIELD) outside 0 to `most`."""
    if not 0 <= value <= most:
        raise invalid("page_size", f"page_size lies outside 1 to {most}.", "Choose within it.")
    return value or default


def position(token: str, field: str) -> int:
    """Return the position that a page token names, 0 for none. Raises Refusal(INVALID_FIELD)."""
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and len(token) <= _POSITION_DIGITS):
        raise invalid(
            field, "The page token is malformed.", "Send the token of the answer before, or none."
        )
    return int(token)


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Return the wire form of an aware datetime, or None. Raises ValueError for a naive one."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone is not sent")
    since = moment - _EPOCH  # six times as fast as Timestamp.FromDatetime
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def moment(wire: Timestamp, field: str) -> datetime:
    """Return the aware UTC datetime.

    Raises Refusal: MISSING_FIELD for one that was not filled in (which the wire cannot tell from
    the very first moment of 1970), INVALID_FIELD for one out of range.
    """
    if not (wire.seconds or wire.nanos):
        raise missing(field)
    try:
        return wire.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid(
            field, f"{field} is out of range.", "Send a time of the years 1 to 9999."
        ) from None
