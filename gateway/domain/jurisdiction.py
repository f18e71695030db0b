"""Who is responsible for bringing a child back: the table J1-J17 (art. 7, 8; docs/rules.md).

E = county of enrolment, H = county of household registration, L = county where the child is.
The rows are tried in order; the first that fits answers. A row marked `decides=False` is a gap of
the regulation that this table does not close: it answers with its row and "needs decision".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.cases import WhereaboutsKind
from gateway.domain.division_codes import Level
from gateway.domain.organisations import OrgId, Role

RULE_VERSION = "2022-07-10.1"
"""Version of this table: date in force of the regulation, and our own number."""


ABROAD = "abroad"
"""Location of a child that is outside the country: no division has that code."""


class LetterKind(StrEnum):
    """Kinds of letters (C.6, D.3)."""

    NOTIFICATION = "NOTIFICATION"
    HANDOVER = "HANDOVER"
    ASSISTANCE = "ASSISTANCE"
    REPLY = "REPLY"
    HANDBACK = "HANDBACK"
    EXTERNAL = "EXTERNAL"


@dataclass(frozen=True)
class Facts:
    """The inputs. Counties have 6 digits; `hukou` and `location` have 2 (a province) outside Yunnan
    and are empty while unknown. All codes are current ones (lineage already applied).
    """

    enrolment: str
    hukou: str
    whereabouts: WhereaboutsKind
    location: str
    foreign_national: bool = False
    no_hukou: bool = False
    disputed: bool = False
    hukou_changed: bool = False
    enrolment_changed: bool = False
    branch_school: bool = False
    no_township: bool = False


@dataclass(frozen=True)
class LetterDue:
    """A letter that a row asks for; `recipient` is None for one that leaves Yunnan."""

    kind: LetterKind
    sender: OrgId
    recipient: OrgId | None


@dataclass(frozen=True)
class Row:
    """One row: when it fits, who is responsible, which letters are due, and why.

    `responsible` and the ends of `letters` are the letters E, H or L of the facts; `X` as recipient
    is a letter that leaves Yunnan.
    """

    id: str
    fits: Callable[[Facts], bool]
    responsible: str
    letters: tuple[tuple[LetterKind, str, str], ...]
    law: bool
    basis: tuple[str, ...]
    decides: bool
    why: str
    why_zh: str


@dataclass(frozen=True)
class Decision:
    """The answer of the table."""

    row: str
    law: bool
    basis: tuple[str, ...]
    responsible: OrgId | None
    letters: tuple[LetterDue, ...]
    needs_decision: bool
    explanation: str
    explanation_zh: str
    facts: Facts
    rule_version: str = RULE_VERSION


def _yunnan(code: str) -> bool:
    return code.startswith("53") and len(code) == Level.COUNTY.digits


def _outside(code: str) -> bool:
    return bool(code) and not code.startswith("53")


_A7, _A8, _POLICY = "云政办规〔2022〕5号 art. 7", "云政办规〔2022〕5号 art. 8", "policy"
_NOTE, _HAND = LetterKind.NOTIFICATION, LetterKind.HANDOVER

TABLE: tuple[Row, ...] = (
    Row(
        "J12", lambda f: f.foreign_national, "E", (), False, (_POLICY, "义务教育法 art. 4"), False,
        "A foreign national is cared for by the school; no letter crosses the border.",
        "外国籍或无国籍学生由学校关爱，不跨境发函。",
    ),
    Row(
        "J16", lambda f: f.disputed, "E", (), False, (_POLICY,), False,
        "Two counties claim or refuse the case; the nearest common superior designates.",
        "两地争议，由最近的共同上级指定。",
    ),
    Row(
        "J15", lambda f: f.enrolment_changed, "E", (), False, (_A7, _POLICY), False,
        "The enrolment moved to another county: the holder keeps the case until it is determined "
        "anew.",
        "学籍已转至他县，重新确定前由现持有县区负责。",
    ),
    Row(
        "J14", lambda f: f.hukou_changed, "H", (), False, (_A8, _POLICY), False,
        "The household moved after the hand-over: the holder keeps the case until it is passed on.",
        "移交后户籍变更，重新移交前由现持有县区负责。",
    ),
    Row(
        "J13", lambda f: f.branch_school, "E", (), False, (_POLICY,), False,
        "A branch school outside its county: the county that manages the school is to be named.",
        "异地办学点，先核定学校主管县区。",
    ),
    Row(
        "J17", lambda f: f.no_township, "E", (), False, (_POLICY,), False,
        "No township government there: the authority that stands for it is to be named.",
        "非乡镇建制（农场、园区等），先核定代行职责单位。",
    ),
    Row(
        "J11", lambda f: not f.enrolment, "H", (), True, ("云政办规〔2022〕5号 art. 6",), False,
        "Never enrolled: the household township acts, or the county of residence.",
        "从未入学，由户籍地乡镇或居住地负责。",
    ),
    Row(
        "J10", lambda f: f.no_hukou or not f.hukou, "E", (), False, (_POLICY,), False,
        "Household registration unknown or none: enrolment county keeps the case meanwhile.",
        "无户籍或户籍不明，暂由学籍地负责。",
    ),
    Row(
        "J9", lambda f: f.whereabouts is WhereaboutsKind.UNKNOWN or not f.location, "E", (),
        False, (_POLICY,), False,
        "Whereabouts unknown: enrolment county keeps the case until the superior decides.",
        "去向不明，暂由学籍地负责，逾期由上级决定。",
    ),
    Row(
        "J1", lambda f: f.location == f.enrolment == f.hukou, "E", (), True, (_A8,), True,
        "The child is in the enrolment county, where its household is registered too.",
        "人在学籍县区，户籍亦在本地，由学籍县区负责劝返。",
    ),
    Row(
        "J8", lambda f: f.location == f.enrolment and _outside(f.hukou), "E",
        ((LetterKind.EXTERNAL, "E", "X"),), True, (_A8,), False,
        "The child is in the enrolment county; the household county outside Yunnan is notified.",
        "人在学籍县区，由学籍县区负责；户籍在省外，需省级对外发函告知。",
    ),
    Row(
        "J2", lambda f: f.location == f.enrolment and f.hukou != f.enrolment, "E",
        ((_NOTE, "E", "H"),), True, (_A7, _A8), True,
        "The child is in the enrolment county, which acts; the household county is notified.",
        "人在学籍县区，由学籍县区负责劝返；非本地户籍，发函告知户籍地。",
    ),
    Row(
        "J7", lambda f: _outside(f.hukou), "E", ((LetterKind.EXTERNAL, "E", "X"),), False,
        (_A8, _POLICY), False,
        "The household county lies outside Yunnan and is not bound: enrolment county keeps the "
        "case until it answers.",
        "户籍在省外，不受本规定约束，答复前由学籍地负责。",
    ),
    Row(
        "J4", lambda f: f.hukou == f.enrolment, "E", (), True, (_A8,), True,
        "The child is elsewhere, but enrolment and household county are one: no letter to oneself.",
        "人不在学籍县区，但户籍与学籍同地，由本地负责，不向自己发函。",
    ),
    Row(
        "J3", lambda f: f.location == f.hukou, "H", ((_HAND, "E", "H"),), True, (_A8, _A7), True,
        "The child is in its household county, which retrieves after the hand-over letter.",
        "人不在学籍县区，由学籍地函告户籍地，户籍地县区负责劝返。",
    ),
    Row(
        "J5", lambda f: _yunnan(f.location), "H",
        ((_HAND, "E", "H"), (LetterKind.ASSISTANCE, "H", "L")), True, (_A8,), True,
        "The child is in a third county: the household county retrieves and asks it for help.",
        "人在第三地，由户籍地县区负责劝返，可向所在地发协查函。",
    ),
    Row(
        "J6", lambda f: not _yunnan(f.location), "H", ((_HAND, "E", "H"),), True, (_A8,), True,
        "The child is outside Yunnan: the household county retrieves.",
        "人在省外，由学籍地函告户籍地，户籍地县区负责劝返。",
    ),
)  # fmt: skip
"""Every row J1-J17. Those with `decides=False` stand before a person for now."""


def evaluate(facts: Facts) -> Decision:
    """Apply the table to the facts. Every fact pattern meets a row."""
    row = next(row for row in TABLE if row.fits(facts))

    def organisation(letter: str) -> OrgId | None:
        code = {"E": facts.enrolment, "H": facts.hukou, "L": facts.location}.get(letter, "")
        return OrgId(code, Role.EDU) if _yunnan(code) else None

    letters = []
    for kind, sender, recipient in row.letters:
        source = organisation(sender)
        if source is not None:
            letters.append(LetterDue(kind, source, organisation(recipient)))
    return Decision(
        row=row.id,
        law=row.law,
        basis=row.basis,
        responsible=organisation(row.responsible),
        letters=tuple(letters),
        needs_decision=not row.decides,
        explanation=row.why,
        explanation_zh=row.why_zh,
        facts=facts,
    )


def location_of(kind: WhereaboutsKind, division: str, enrolment: str, hukou: str) -> str:
    """Return the division where the child is: the one recorded, else the one the kind implies.

    Empty when unknown. AT_HOME without a division implies nothing: a home can be anywhere.
    """
    if kind is WhereaboutsKind.UNKNOWN:
        return ""
    if division:
        return division
    return {
        WhereaboutsKind.IN_ENROLMENT_COUNTY: enrolment,
        WhereaboutsKind.IN_HUKOU_COUNTY: hukou,
        WhereaboutsKind.ABROAD: ABROAD,  # B30: outside Yunnan, without a channel
    }.get(kind, "")
