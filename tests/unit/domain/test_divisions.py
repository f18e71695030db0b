"""Facts about the division table, on a small made-up province."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.divisions import Division, DivisionTable, Level, Status
from gateway.domain.errors import Reason, Refusal

OLD_DAY, OVERLAP, NOW = date(2014, 5, 1), date(2016, 5, 1), date(2026, 11, 23)
SINCE, UNTIL = date(2015, 1, 1), date(2016, 12, 31)


def division(code: str, name: str, **more: date | str) -> Division:
    """Make a row whose level and parent follow from its code."""
    parent = {2: None, 4: code[:2], 6: code[:4], 9: code[:6]}[len(code)]
    row = Division(code, name, Level.of(code), parent)
    return replace(row, **more)  # type: ignore[arg-type]  # the fields differ in type


ROWS = (
    division("99", "省"),
    division("9901", "甲州"),
    division("9902", "乙州"),
    division("990101", "东县"),
    division("990102", "西县"),
    division("990201", "南县"),
    # 990121 became 990181, which was then merged into 990103.
    division("990121", "旧县", valid_to=UNTIL, successor="990181"),
    division("990181", "旧市", valid_from=SINCE, valid_to=date(2020, 12, 31), successor="990103"),
    division("990103", "新区", valid_from=date(2020, 1, 1)),
    # 990104 only changed its name.
    division("990104", "前名县", valid_to=date(2010, 12, 31), successor="990104"),
    division("990104", "今名县", valid_from=date(2010, 1, 1)),
    division("990105", "将来县", valid_from=date(2030, 1, 1)),
    division("990101001", "城关街道"),
    division("990101100", "撤销镇", valid_to=date(2025, 6, 30), successor="990101"),
    division("990103001", "中心街道"),
)
TABLE = DivisionTable(ROWS)


def test_a_code_in_force_stands_for_itself() -> None:
    """A code that never changed is current on every day."""
    found = TABLE.resolve("990101", OLD_DAY)
    assert (found.status, found.division, found.current) == (
        Status.CURRENT,
        found.division,
        found.division,
    )
    assert found.chain == ("990101",)
    assert TABLE.require_current("990101000000", NOW).name == "东县"


def test_a_retired_code_resolves_and_is_not_routed() -> None:
    """Its chain leads to the present code; the refusal to route names that code."""
    found = TABLE.resolve("990121", NOW)
    assert found.status is Status.RETIRED
    assert found.division.name == "旧县"
    assert found.chain == ("990121", "990181", "990103")
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("990121", NOW)
    assert caught.value.reason is Reason.RETIRED_DIVISION
    assert caught.value.metadata["successor"] == "990103"
    assert "990103" in caught.value.advice


def test_before_its_change_a_code_stands_for_itself() -> None:
    """On a day before the change the old code is current and leads nowhere else."""
    found = TABLE.resolve("990121", OLD_DAY)
    assert (found.status, found.current.code) == (Status.CURRENT, "990121")


def test_while_both_codes_live_delivery_goes_to_the_new_one() -> None:
    """The old code may still be written, and what is sent to it reaches the successor (B18)."""
    found = TABLE.resolve("990121", OVERLAP)
    assert found.status is Status.CURRENT
    assert found.current.code == TABLE.require_current("990121", OVERLAP).code == "990181"


def test_a_code_not_yet_in_force_is_not_routed() -> None:
    """An announced code resolves, and is refused until its day."""
    assert TABLE.resolve("990105", NOW).status is Status.NOT_YET
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("990105", NOW)
    assert caught.value.reason is Reason.UNKNOWN_DIVISION


def test_a_change_of_name_keeps_the_code() -> None:
    """The code is current throughout; the name is that of the day."""
    names = [TABLE.resolve("990104", day).division.name for day in (date(2008, 1, 1), NOW)]
    assert names == ["前名县", "今名县"]
    assert TABLE.resolve("990104", date(2008, 1, 1)).status is Status.CURRENT
    assert TABLE.require_current("990104", NOW).name == "今名县"


def test_a_township_of_a_retired_county_resolves_by_its_county() -> None:
    """Old nine-digit codes are not listed: the successor of their county stands in."""
    found = TABLE.resolve("990121205", NOW)
    assert (found.status, found.exact, found.current.code) == (Status.RETIRED, False, "990103")
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("990121205", NOW)
    assert caught.value.metadata["successor"] == "990103"
    assert TABLE.county_of("990121205").code == "990103"


def test_a_village_resolves_by_its_township() -> None:
    """Villages are not listed: their township stands in and nothing is routed on them."""
    found = TABLE.resolve("990101001201", NOW)
    assert (found.status, found.exact, found.current.code) == (
        Status.CURRENT,
        False,
        "990101001",
    )
    with pytest.raises(Refusal) as caught:
        TABLE.require_current("990101001201", NOW)
    assert caught.value.metadata["nearest"] == "990101001"
    assert [above.code for above in TABLE.superiors("990101001201")] == [
        *("990101001", "990101", "9901", "99"),
    ]


@pytest.mark.parametrize("code", ["990101999", "990199", "440106", "9", "x", "990199001"])
def test_unknown_codes_are_refused(code: str) -> None:
    """A code that never was in the table resolves to nothing."""
    with pytest.raises(Refusal) as caught:
        TABLE.resolve(code, NOW)
    assert caught.value.reason is Reason.UNKNOWN_DIVISION
    assert TABLE.get(code) is None


def test_superiors_and_tiers() -> None:
    """Each tier above a code is found, with its history mapped."""
    assert [above.code for above in TABLE.superiors("990101001")] == ["990101", "9901", "99"]
    assert [above.code for above in TABLE.superiors("990101100")] == ["990101", "9901", "99"]
    assert TABLE.superiors("99") == ()
    assert TABLE.county_of("990121").code == "990103"
    assert TABLE.county_of("990101001201").code == "990101"
    assert TABLE.prefecture_of("990121").code == "9901"
    assert TABLE.prefecture_of("9902").code == "9902"
    for tier, code in ((TABLE.county_of, "9901"), (TABLE.prefecture_of, "99")):
        with pytest.raises(Refusal):
            tier(code)


def test_children_are_those_in_force() -> None:
    """Retired divisions have left the lists, at the next tier and below."""
    counties = ["990101", "990102", "990103", "990104", "990105"]
    assert [row.code for row in TABLE.children("9901")] == counties
    assert [row.code for row in TABLE.children("99", Level.COUNTY)] == [*counties, "990201"]
    assert [row.code for row in TABLE.children("99", Level.TOWNSHIP)] == ["990101001", "990103001"]
    assert TABLE.children("990101001") == ()
    assert [row.code for row in TABLE.children("990121")] == ["990103001"]


@pytest.mark.parametrize(
    ("a", "b", "superior"),
    [
        ("990101", "990102", "9901"),
        ("990121", "990101", "9901"),
        ("990101", "990201", "99"),
        ("990101", "9901", "99"),
        ("990101001", "990102", "9901"),
    ],
)
def test_who_decides_between_two(a: str, b: str, superior: str) -> None:
    """Within a prefecture it decides, between prefectures the province does (J16)."""
    assert TABLE.nearest_common_superior(a, b).code == superior
    assert TABLE.nearest_common_superior(b, a).code == superior


def test_nobody_decides_over_the_province() -> None:
    """The top has no superior in the table."""
    with pytest.raises(Refusal):
        TABLE.nearest_common_superior("99", "990101")


def test_codes_of_other_provinces_lie_outside() -> None:
    """A code of another province is outside without being an error (H = X)."""
    assert TABLE.in_province("990101")
    assert TABLE.in_province("990199")
    assert not TABLE.in_province("441900")


@pytest.mark.parametrize(
    "bad",
    [
        division("980101", "没有上级"),
        division("990106", "没有后继", valid_to=UNTIL),
        division("990106", "后继不明", valid_to=UNTIL, successor="990199"),
        replace(division("990106", "级别不符"), level=Level.TOWNSHIP),
        division("990106", "自己", valid_to=UNTIL, successor="990106"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(bad: Division) -> None:
    """Missing parents and successors, wrong levels and circles are found on loading."""
    with pytest.raises(ValueError, match=r"table|circle"):
        DivisionTable([*ROWS, bad])
