"""Who takes part: four nodes and their organisations, three children, and the days it happens on.

The children and both agencies' systems are invented (`adapters.reference`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from adapters.reference import household_register, platform
from adapters.reference.people import Child, child
from gateway.cli.estate_plan import (
    PLATFORM,
    POLICE,
    EstatePlan,
    NodePlan,
    plan_agency,
    plan_county,
    superior_bureaus,
)
from gateway.domain.organisations import OrgId
from gateway.domain.working_days import WorkingCalendar

WUHUA = OrgId.parse("530102/edu")
WUHUA_SCHOOL = OrgId.parse("530102/sch/3153000123")
WUHUA_TOWNSHIP = OrgId.parse("530102001/twn")
ZHENXIONG = OrgId.parse("530627/edu")
ZHENXIONG_SCHOOL = OrgId.parse("530627/sch/3153000456")
ZHENXIONG_TOWNSHIP = OrgId.parse("530627001/twn")
SHUIFU_COUNTY = "530681"
"""水富市, where the third child's household has moved to."""

PLAYERS = (
    *(WUHUA, WUHUA_SCHOOL, WUHUA_TOWNSHIP),
    *(ZHENXIONG, ZHENXIONG_SCHOOL, ZHENXIONG_TOWNSHIP),
    *(POLICE, PLATFORM),
)
"""Everyone who acts or sees something in the story."""

_ABSENT_DAYS = 3
_AGE = 13


@dataclass(frozen=True)
class SchoolDays:
    """The days of the story, all of them school days, none after today.

    Attributes:
        absent: the three days without the child, each the next school day after the other.
        back: the school day after them, the latest one up to today.
    """

    absent: tuple[date, ...]
    back: date

    @classmethod
    def before(cls, today: date, calendar: WorkingCalendar) -> "SchoolDays":
        """Return the latest such days; on a day without school the child came back before it."""
        found: list[date] = []
        day = today
        while len(found) <= _ABSENT_DAYS:
            if calendar.is_working_day(day):
                found.append(day)
            day -= timedelta(days=1)
        back, *absent = found
        return cls(tuple(reversed(absent)), back)


@dataclass(frozen=True)
class Systems:
    """URLs of the two agencies' own systems."""

    register: str
    platform: str

    @classmethod
    def within(cls, directory: Path) -> "Systems":
        """Name the databases below a directory."""
        home = directory.resolve() / "agencies"
        return cls(f"sqlite:///{home / 'register.db'}", f"sqlite:///{home / 'platform.db'}")

    def make(self, directory: Path, children: tuple[Child, ...]) -> None:
        """Make both; every child's household is registered in 镇雄县 at first."""
        (directory / "agencies").mkdir()
        household_register.create(self.register)
        household_register.seed(
            self.register,
            [
                household_register.Registration(
                    one, ZHENXIONG.division, ZHENXIONG_TOWNSHIP.division
                )
                for one in children
            ],
        )
        platform.create(self.platform)


@dataclass(frozen=True)
class Cast:
    """What the story plays with."""

    children: tuple[Child, ...]
    days: SchoolDays
    systems: Systems
    today: date

    @classmethod
    def of(cls, directory: Path, today: date, calendar: WorkingCalendar) -> "Cast":
        """Choose the children and days for today."""
        children = tuple(child(seed, born=date(today.year - _AGE, 3, seed)) for seed in (1, 2, 3))
        return cls(children, SchoolDays.before(today, calendar), Systems.within(directory), today)


def plan(cast: Cast) -> EstatePlan:
    """Return the four nodes; the broker is nobody's, so that all are equal."""
    counties = (WUHUA.division, ZHENXIONG.division)
    homes = {
        "wuhua": plan_county(counties[0], cast.today, school=WUHUA_SCHOOL.unit),
        "zhenxiong": plan_county(counties[1], cast.today, school=ZHENXIONG_SCHOOL.unit),
        "police": (plan_agency(POLICE, "public_security", {"url": cast.systems.register}),),
        "platform": (plan_agency(PLATFORM, "assistance_platform", {"url": cast.systems.platform}),),
    }
    return EstatePlan(
        tuple(NodePlan(name, organisations) for name, organisations in homes.items()),
        elsewhere=superior_bureaus(counties),
        bundled=False,
    )


def names(planned: EstatePlan) -> Mapping[str, str]:
    """Return the Chinese name of every organisation at home on a node, by its code."""
    return {
        str(home.organisation.id): home.organisation.name
        for node in planned.nodes
        for home in node.homes
    }
