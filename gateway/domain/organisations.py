"""Organisations, their roles and the posts inside them.

An organisation is (division, role, optional unit), written `530102/edu`, `530627001/twn` or
`530102/sch/3153000123`. Names of bodies are data, because bodies are renamed and merged
(B32: 教育体育局); roles are codes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from gateway.domain.division_codes import VILLAGE_DIGITS, Level, canonical_code
from gateway.domain.errors import Reason, Refusal


class Role(StrEnum):
    """What an organisation is in dropout control; the value is the code used in addresses."""

    EDU = "edu"
    SCH = "sch"
    TWN = "twn"
    VIL = "vil"
    PSB = "psb"
    CAB = "cab"
    HRB = "hrb"
    DPF = "dpf"
    RRB = "rrb"
    GOV = "gov"
    HLT = "hlt"
    MKT = "mkt"
    JUS = "jus"
    ERA = "era"
    CYL = "cyl"
    WOM = "wom"
    CTB = "ctb"
    SUP = "sup"
    EXP = "exp"
    JMC = "jmc"
    DSC = "dsc"
    CRT = "crt"


ROLE_NAMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.EDU: "教育行政部门",
        Role.SCH: "学校",
        Role.TWN: "乡镇人民政府(街道办事处)",
        Role.VIL: "村(居)民委员会",
        Role.PSB: "公安机关",
        Role.CAB: "民政部门",
        Role.HRB: "人力资源社会保障部门",
        Role.DPF: "残疾人联合会",
        Role.RRB: "政府救助平台主管部门",
        Role.GOV: "人民政府",
        Role.HLT: "卫生健康部门",
        Role.MKT: "市场监管部门",
        Role.JUS: "司法行政部门",
        Role.ERA: "民族宗教部门",
        Role.CYL: "共青团",
        Role.WOM: "妇女联合会",
        Role.CTB: "文化和旅游部门",
        Role.SUP: "教育督导部门",
        Role.EXP: "残疾人教育专家委员会",
        Role.JMC: "联席会议",
        Role.DSC: "纪检监察机关",
        Role.CRT: "人民法院",
    }
)
"""Chinese name of each role, for what an officer reads."""


class Post(StrEnum):
    """Who acted inside an organisation: a post, never a person (B23). The value is the name."""

    HEAD_TEACHER = "HEAD_TEACHER"
    REGISTRAR = "REGISTRAR"
    PRINCIPAL = "PRINCIPAL"
    CASE_OFFICER = "CASE_OFFICER"
    APPROVER = "APPROVER"
    AGENCY_OFFICER = "AGENCY_OFFICER"
    TOWNSHIP_OFFICER = "TOWNSHIP_OFFICER"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


POST_NAMES: Mapping[Post, str] = MappingProxyType(
    {
        Post.HEAD_TEACHER: "班主任",
        Post.REGISTRAR: "学籍管理员",
        Post.PRINCIPAL: "校长",
        Post.CASE_OFFICER: "承办人",
        Post.APPROVER: "审批人",
        Post.AGENCY_OFFICER: "经办人",
        Post.TOWNSHIP_OFFICER: "包保责任人(乡镇经办)",
        Post.OPERATOR: "运维人员",
        Post.SYSTEM: "系统",
    }
)
"""Chinese name of each post, for what an officer reads."""

_OFFICE_DIGITS = (Level.PROVINCE.digits, Level.PREFECTURE.digits, Level.COUNTY.digits)
_DIGITS_OF: Mapping[Role, tuple[int, ...]] = MappingProxyType(
    {Role.TWN: (Level.TOWNSHIP.digits,), Role.VIL: (VILLAGE_DIGITS,)}
)
_REMEMBERED = 4096  # addresses read lately; each message names the same few many times over
_SCHOOL_UNIT = re.compile(r"[0-9]{10}")  # 学校标识码


def _malformed(message: str) -> Refusal:
    return Refusal(
        Reason.MALFORMED_ORGANISATION,
        message,
        "Write division/role, or division/sch/identifier for a school, as in 530102/edu.",
        field="organisation",
    )


@dataclass(frozen=True, slots=True)
class OrgId:
    """The address of an organisation.

    Only the form is checked: digits, role codes and ten-digit school identifiers. So an address
    is always safe as a file name and, cut into tiers, as a message subject; whether the division
    exists is the division table's to say.

    Attributes:
        division: canonical division code; 9 digits for a township, 12 for a village, 2, 4 or 6
            for all others (a school has the county that manages it, J13).
        role: what the organisation is.
        unit: the ten-digit identifier code of a school; None for every other role.
    """

    division: str
    role: Role
    unit: str | None = None

    def __post_init__(self) -> None:
        """Check the form.

        Raises:
            Refusal: MALFORMED_ORGANISATION.
        """
        try:
            canonical = canonical_code(self.division)
        except Refusal as refusal:
            raise _malformed("An organisation's division must be a division code.") from refusal
        if canonical != self.division:
            raise _malformed("An organisation's division code must not be padded with zeros.")
        if len(self.division) not in _DIGITS_OF.get(self.role, _OFFICE_DIGITS):
            raise _malformed(
                f"The division of this organisation has no body with role {self.role}."
            )
        if self.role is Role.SCH:
            if self.unit is None or not _SCHOOL_UNIT.fullmatch(self.unit):
                raise _malformed("A school needs its ten-digit identifier code as unit.")
        elif self.unit is not None:
            raise _malformed("Only schools have a unit.")

    @staticmethod
    @lru_cache(maxsize=_REMEMBERED)
    def parse(text: str) -> "OrgId":
        """Read an address.

        Raises:
            Refusal: MALFORMED_ORGANISATION.
        """
        division, _, rest = text.partition("/")
        code, slash, unit = rest.partition("/")
        try:
            role = Role(code)
        except ValueError:
            raise _malformed("The organisation's role is not one of the known codes.") from None
        return OrgId(division, role, unit if slash else None)

    def __str__(self) -> str:
        """Return the address as it is written."""
        unit = f"/{self.unit}" if self.unit else ""
        return f"{self.division}/{self.role}{unit}"

    @property
    def county(self) -> str | None:
        """The six-digit county code; None for a prefecture or the province."""
        county = self.division[: Level.COUNTY.digits]
        return county if len(county) == Level.COUNTY.digits else None


@dataclass(frozen=True, slots=True)
class Organisation:
    """One entry of the directory.

    Attributes:
        id: its address.
        name: its own Chinese name, as it signs.
        superior: the organisation above it; None at the top.
        township: for a school, the nine-digit township it lies in (art. 7: reports go there too).
        letter_mark: characters before the year in its letter numbers (发文机关代字), as in 镇教函.
        posts: posts that may act for it, by name (`Post`).
        node: name of the node that is home to it; empty when it has none yet.
    """

    id: OrgId
    name: str
    superior: OrgId | None = None
    township: str | None = None
    letter_mark: str = ""
    posts: tuple[str, ...] = ()
    node: str = ""

    def __post_init__(self) -> None:
        """Check the form.

        Raises:
            Refusal: MALFORMED_ORGANISATION.
        """
        if self.superior == self.id:
            raise _malformed("An organisation cannot be its own superior.")
        if self.township is not None:
            OrgId(self.township, Role.TWN)


def nearest_agency(
    organisations: Iterable[Organisation], division: str, role: Role
) -> Organisation | None:
    """Return the body of a role that serves a division: its own, else the nearest above.

    From a township the search goes to the county, the prefecture and the province; None when no
    tier has such a body. Schools are never found so: a division has many.
    """
    by_division = {
        org.id.division: org for org in organisations if org.id.role is role and not org.id.unit
    }
    code = canonical_code(division)
    tiers = (VILLAGE_DIGITS, *(level.digits for level in reversed(Level)))
    for digits in tiers:
        if len(code) >= digits and code[:digits] in by_division:
            return by_division[code[:digits]]
    return None
