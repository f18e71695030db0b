"""A field that is out of form is refused by name, and nothing invisible gets in."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import fields
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import OrgId


def refused(check: Callable[[], object]) -> Refusal:
    """Return the refusal of a check."""
    with pytest.raises(Refusal) as caught:
        check()
    assert caught.value.advice
    return caught.value


def wire(seconds: int, nanos: int = 0) -> Timestamp:
    """Return a timestamp as it stands on the wire, possible or not."""
    return Timestamp(seconds=seconds, nanos=nanos)


MISSING: dict[str, Callable[[], object]] = {
    "text": lambda: fields.text(" ", "a.b", 5, required=True),
    "uuid": lambda: fields.uuid("", "a.b"),
    "day": lambda: fields.day("", "a.b"),
    "organisation": lambda: fields.organisation("", "a.b"),
    "moment": lambda: fields.moment(Timestamp(), "a.b"),
}
INVALID: dict[str, Callable[[], object]] = {
    "long text": lambda: fields.text("六个字太长了", "a.b", 5),
    "letters for digits": lambda: fields.digits("53a", "a.b", 6),
    "a name for a code": lambda: fields.digits("五华区", "a.b", 6),
    "full-width digits": lambda: fields.digits("５３", "a.b", 6),
    "too many digits": lambda: fields.digits("5301021", "a.b", 6),
    "uuid": lambda: fields.uuid("530102", "a.b"),
    "no such day": lambda: fields.day("2026-02-30", "a.b"),
    "week date": lambda: fields.day("2026-W47-1", "a.b"),
    "basic date": lambda: fields.day("20261123", "a.b"),
    "day and time": lambda: fields.day("2026-11-23T00:00", "a.b"),
    "optional day": lambda: fields.optional_day("23.11.2026", "a.b"),
    "year 10000": lambda: fields.moment(wire(253402300800), "a.b"),
    "year 0": lambda: fields.moment(wire(-62135596801), "a.b"),
    "nanoseconds": lambda: fields.moment(wire(1, 2_000_000_000), "a.b"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_field_is_named(name: str) -> None:
    """What is required and not there: MISSING_FIELD, with the field."""
    refusal = refused(MISSING[name])
    assert (refusal.reason, refusal.field) == (Reason.MISSING_FIELD, "a.b")


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_field_is_named(name: str) -> None:
    """What is out of form or bounds: INVALID_FIELD, with the field."""
    refusal = refused(INVALID[name])
    assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "a.b")
    assert "a.b" in refusal.message


def test_a_malformed_organisation_is_named() -> None:
    """The organisation's own refusal gets the field of the request."""
    refusal = refused(lambda: fields.organisation("530102/xyz", "recipient"))
    assert (refusal.reason, refusal.field) == (Reason.MALFORMED_ORGANISATION, "recipient")
    assert fields.organisation("530102/edu", "recipient") == OrgId.parse("530102/edu")


HOSTILE = (
    *("\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b"),  # control
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e"),  # zero width
    *("\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2068", "\u200e", "\u200f", "\u061c"),
    *("\u2028", "\u2029", "\U000e0041"),  # separators, tags
)


@pytest.mark.parametrize("character", HOSTILE, ids=lambda c: f"U+{ord(c):04X}")
@pytest.mark.parametrize("most", [60, 4000])
def test_what_cannot_be_seen_is_refused(character: str, most: int) -> None:
    """Control, zero-width and direction-changing characters stand in no field, short or long."""
    refusal = refused(lambda: fields.text(f"李{character}四", "identity.name", most))
    assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "identity.name")
    assert character not in refusal.message + refusal.advice


@pytest.mark.parametrize("break_", ["\n", "\t"])
def test_only_long_texts_have_lines(break_: str) -> None:
    """A name or number is one line; a report may have several."""
    assert fields.text(f"一{break_}二", "remark", 4000) == f"一{break_}二"
    refused(lambda: fields.text(f"一{break_}二", "identity.name", 60))


@pytest.mark.parametrize(
    "text",
    ["阿普·木呷", "𠮷田", "龘\U00031350", "㐀\U000e0100", "\ue000", "e\u0301", "七(3)班"],
)
def test_rare_characters_pass_unchanged(text: str) -> None:
    """B29: rare hanzi, variants, interpuncts and private-use glyphs of names are kept as written."""
    assert fields.text(f"  {text}\n", "identity.name", 60) == text


@given(st.uuids())
def test_a_uuid_has_one_form(value: UUID) -> None:
    """Whatever notation it came in, it is kept in the canonical one."""
    for text in (str(value), value.hex, value.urn, f"{{{value}}}", str(value).upper()):
        assert fields.uuid(text, "id") == str(value)


@given(st.dates())
def test_a_day_goes_there_and_back(value: date) -> None:
    """Days are read in the one form in which they are written."""
    assert fields.day(value.isoformat(), "day") == value
    assert fields.optional_day(value.isoformat(), "day") == value.isoformat()
    assert fields.optional_day("", "day") == ""


@given(
    st.datetimes(timezones=st.just(timezone(timedelta(hours=8))))
    | st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bound
)
def test_a_moment_goes_there_and_back(value: datetime) -> None:
    """A moment keeps its microseconds and is UTC when it comes back."""
    if not datetime(2, 1, 1, tzinfo=UTC) < value or value == datetime(1970, 1, 1, tzinfo=UTC):
        return
    stamp = fields.timestamp(value)
    assert stamp is not None
    back = fields.moment(stamp, "at")
    assert back == value
    assert back.tzinfo is UTC
    assert fields.timestamp(None) is None


@pytest.mark.parametrize(("asked", "got"), [(0, 20), (1, 1), (100, 100)])
def test_a_page_has_a_bounded_size(asked: int, got: int) -> None:
    """Nothing asked for means the default."""
    assert fields.page_size(asked, 20, 100) == got


@pytest.mark.parametrize("asked", [-1, 101, 2**31 - 1])
def test_a_page_out_of_bounds_is_refused(asked: int) -> None:
    """Neither less than none nor more than the most."""
    refusal = refused(lambda: fields.page_size(asked, 20, 100))
    assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "page_size")
