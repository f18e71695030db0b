"""Facts about the vendored divisions of Yunnan."""

from datetime import date

import pytest

from gateway.data.divisions import load_divisions
from gateway.domain.divisions import Level, Status
from gateway.domain.errors import Reason, Refusal

NOW = date(2026, 11, 23)
TABLE = load_divisions()
COUNTIES = TABLE.children("53", Level.COUNTY)
CHANGES = [
    ("532522", "532503", 2010),
    ("532621", "532601", 2010),
    ("530121", "530114", 2011),
    ("532526", "532504", 2013),
    ("533421", "533401", 2014),
    ("530522", "530581", 2015),
    ("530421", "530403", 2015),
    ("530122", "530115", 2016),
    ("530328", "530303", 2016),
    ("533321", "533301", 2016),
    ("530321", "530304", 2018),
    ("530630", "530681", 2018),
    ("530422", "530481", 2019),
    ("532331", "532302", 2021),
]


def test_yunnan_has_16_prefectures_and_129_counties() -> None:
    """The totals are those of the published lists; townships are as this source has them."""
    assert len(TABLE.children("53")) == 16
    assert len(COUNTIES) == 129
    assert len(TABLE.children("53", Level.TOWNSHIP)) == 1429


def test_every_division_in_force_resolves_to_itself() -> None:
    """Each of the present divisions can be routed on, under its own code."""
    present = [row for row in TABLE if row.valid_to is None]
    assert len(present) == 1 + 16 + 129 + 1429
    for row in present:
        assert TABLE.require_current(row.code, NOW) is row


def test_every_county_has_its_prefecture_and_townships() -> None:
    """No county is without townships, and each lies in the prefecture its code says."""
    for county in COUNTIES:
        assert TABLE.children(county.code)
        assert TABLE.prefecture_of(county.code).code == county.code[:4]


def test_every_chain_of_successors_ends_in_a_current_code() -> None:
    """Whatever code is in the file, its chain ends where mail can go today."""
    for row in TABLE:
        current = TABLE.resolve(row.code, NOW).current
        assert current.valid_to is None
        assert TABLE.require_current(current.code, NOW) is current


@pytest.mark.parametrize(("old", "new", "year"), CHANGES)
def test_a_county_code_that_changed(old: str, new: str, year: int) -> None:
    """Before its change the old code is current, today it is refused and names the new one."""
    assert TABLE.resolve(old, date(year - 1, 12, 31)).current.code == old
    assert TABLE.require_current(old, date(year, 12, 31)).code == new
    assert TABLE.resolve(old, NOW).status is Status.RETIRED
    with pytest.raises(Refusal) as caught:
        TABLE.require_current(old, NOW)
    assert caught.value.reason is Reason.RETIRED_DIVISION
    assert caught.value.metadata["successor"] == new
    assert TABLE.county_of(old + "001") == TABLE.get(new)


def test_scenario_14_an_old_county_code() -> None:
    """A letter of 2026 to 530522 is refused with its successor; one of 2014 still resolves."""
    archived = TABLE.resolve("530522", date(2014, 6, 1))
    assert (archived.status, archived.division.name) == (Status.CURRENT, "腾冲县")
    assert TABLE.require_current("530581", NOW).name == "腾冲市"
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("530522", NOW)
    assert caught.value.metadata["successor"] == "530581"


def test_a_county_that_only_changed_its_name() -> None:
    """533103 was 潞西市 and is 芒市; the code was never retired."""
    assert TABLE.resolve("533103", date(2009, 1, 1)).division.name == "潞西市"
    assert TABLE.require_current("533103", NOW).name == "芒市"


@pytest.mark.parametrize("code", ["530524", "530128", "530102", "530627", "532626", "533102"])
def test_counties_that_did_not_change(code: str) -> None:
    """昌宁, 禄劝 and the counties of the worked examples hold on every day."""
    assert TABLE.require_current(code, date(2001, 1, 1)) == TABLE.require_current(code, NOW)


def test_who_decides_between_counties() -> None:
    """镇雄 and 水富 share 昭通; 镇雄 and 丘北 share only the province."""
    assert TABLE.nearest_common_superior("530627", "530681").code == "5306"
    assert TABLE.nearest_common_superior("530627", "530630").code == "5306"
    assert TABLE.nearest_common_superior("530627", "532626").code == "53"


def test_abolished_townships_lead_to_their_county() -> None:
    """A township abolished without one successor is refused and names its county."""
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("532901190", NOW)
    assert caught.value.metadata["successor"] == "532901"


def test_a_code_of_another_province_is_unknown_and_outside() -> None:
    """东莞 is outside Yunnan; an unlisted code within it is inside and unknown."""
    assert not TABLE.in_province("441900")
    assert TABLE.in_province("530199")
    for code in ("441900", "530199"):
        with pytest.raises(Refusal) as caught:
            TABLE.require_current(code, NOW)
        assert caught.value.reason is Reason.UNKNOWN_DIVISION


def test_the_file_is_read_once() -> None:
    """Loading again gives the same table."""
    assert load_divisions() is TABLE
