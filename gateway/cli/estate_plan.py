"""Plans of a development estate: which organisations are at home on which node.

Names of counties and townships come from the division table, those of bodies from custom; in
production both are what the authority enters in the directory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from gateway.data.divisions import load_divisions
from gateway.domain.divisions import Division, Level
from gateway.domain.errors import Reason, Refusal
from gateway.domain.organisations import Organisation, OrgId, Post, Role

OFFICE_POSTS: Final = (Post.CASE_OFFICER, Post.APPROVER, Post.OPERATOR)
SCHOOL_POSTS: Final = (Post.HEAD_TEACHER, Post.REGISTRAR, Post.PRINCIPAL, Post.OPERATOR)
TOWNSHIP_POSTS: Final = (Post.TOWNSHIP_OFFICER, Post.CASE_OFFICER, Post.OPERATOR)
AGENCY_POSTS: Final = (Post.AGENCY_OFFICER, Post.OPERATOR)

POLICE: Final = OrgId.parse("53/psb")
PLATFORM: Final = OrgId.parse("53/rrb")
_AGENCY_NAMES: Final[Mapping[OrgId, str]] = {POLICE: "云南省公安厅", PLATFORM: "云南省政府救助平台"}
_PROVINCE: Final = OrgId.parse("53/edu")
_TOWNSHIPS: Final = 2


@dataclass(frozen=True)
class HomePlan:
    """One organisation at home on a node, and what reaches its own system, if anything.

    `adapter` is the name of an entry point, `settings` are its own.
    """

    organisation: Organisation
    adapter: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class NodePlan:
    """One node. `port` is that of its gRPC endpoint on loopback; None for a free one, kept."""

    name: str
    homes: tuple[HomePlan, ...]
    port: int | None = None


@dataclass(frozen=True)
class EstatePlan:
    """What to lay out.

    Attributes:
        nodes: the nodes; the first starts the broker when it is bundled.
        elsewhere: organisations that are listed without keys, at home on no node here.
        broker_port: port of the broker on loopback; None for a free one, kept.
        bundled: whether the first node starts and stops the broker. Else somebody else does.
        reflection: whether the nodes tell callers their contract.
    """

    nodes: tuple[NodePlan, ...]
    elsewhere: tuple[Organisation, ...] = ()
    broker_port: int | None = None
    bundled: bool = True
    reflection: bool = True


def plan_county(county: str, today: date, *, school: str | None = None) -> tuple[HomePlan, ...]:
    """Plan a county: its education bureau, one school, and its first two townships.

    Args:
        county: six-digit code in force today.
        today: the day on which codes must be in force.
        school: ten-digit identifier of the school; one made from the county's code when None.

    Raises:
        Refusal: UNKNOWN_DIVISION or RETIRED_DIVISION (with its successor), or no county.
    """
    division = _county(county, today)
    bureau = OrgId(county, Role.EDU)
    townships = load_divisions().children(county, Level.TOWNSHIP)[:_TOWNSHIPS]
    organisations = [
        Organisation(
            bureau,
            f"{division.name}教育体育局",
            superior=OrgId(str(division.parent), Role.EDU),
            letter_mark=f"{division.name[0]}教函",
            posts=OFFICE_POSTS,
        ),
        Organisation(
            OrgId(county, Role.SCH, school or f"31{county}01"),
            f"{division.name}第一中学",
            superior=bureau,
            township=townships[0].code if townships else None,
            posts=SCHOOL_POSTS,
        ),
    ]
    organisations += [
        Organisation(OrgId(one.code, Role.TWN), _government(one.name), posts=TOWNSHIP_POSTS)
        for one in townships
    ]
    return tuple(HomePlan(organisation) for organisation in organisations)


def plan_agency(org: OrgId, adapter: str, settings: Mapping[str, str]) -> HomePlan:
    """Plan an agency of the province (POLICE or PLATFORM) with its adapter."""
    organisation = Organisation(org, _AGENCY_NAMES[org], posts=AGENCY_POSTS)
    return HomePlan(organisation, adapter, settings)


def superior_bureaus(counties: Iterable[str]) -> tuple[Organisation, ...]:
    """Return the bureaus above these counties: their prefectures', then the province's.

    Raises:
        Refusal: UNKNOWN_DIVISION.
    """
    prefectures = {
        found.code: found.name for found in map(load_divisions().prefecture_of, counties)
    }
    bureaus = [
        Organisation(
            OrgId(code, Role.EDU), f"{name}教育体育局", superior=_PROVINCE, posts=OFFICE_POSTS
        )
        for code, name in sorted(prefectures.items())
    ]
    return (*bureaus, Organisation(_PROVINCE, "云南省教育厅", posts=OFFICE_POSTS))


def _county(code: str, today: date) -> Division:
    division = load_divisions().require_current(code, today)
    if division.level is not Level.COUNTY or division.code != code:
        raise Refusal(
            Reason.UNKNOWN_DIVISION,
            f"The division {code} is no county.",
            "Give the six-digit code of a county, as in 530102.",
        )
    return division


def _government(township: str) -> str:
    return f"{township}办事处" if township.endswith("街道") else f"{township}人民政府"
