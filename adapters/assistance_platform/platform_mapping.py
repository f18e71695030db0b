"""Names and codes of an assistance platform, as data: another one needs another mapping only.

The defaults are those of the reference platform. A TOML file replaces any of them.
"""

from enum import StrEnum

from pydantic import Field

from adapters.connectors.local_time import LocalTime
from adapters.connectors.settings import SystemMapping
from gateway.adapter_api import Matter


class Form(StrEnum):
    """What a field of an exchange must look like."""

    TEXT = "TEXT"
    COUNT = "COUNT"  # a whole number from 1
    DATE = "DATE"  # YYYY-MM-DD
    CODE = "CODE"  # one of the words of a code set


class FieldMapping(SystemMapping):
    """Where one field of an exchange goes; `codes` is for CODE: the gateway's word to theirs."""

    column: str
    form: Form = Form.TEXT
    codes: dict[str, str] = Field(default_factory=dict)


class KindMapping(SystemMapping):
    """How one kind of exchange is entered; all its fields are required, no others are taken."""

    matter: Matter
    code: str
    fields: dict[str, FieldMapping]


class EntryColumns(SystemMapping):
    """Columns of the table of entries that every entry fills."""

    serial: str = "DKXH"
    entry_no: str = "SXBH"
    matter: str = "SXLX"
    object_id: str = "YWBH"
    external_reference: str = "WBLSH"
    subject: str = "DXBS"
    name: str = "XM"
    id_number: str = "ZJHM"
    enrolment_number: str = "XJH"
    county: str = "XZQH"
    entered_at: str = "LRSJ"


class NumberColumns(SystemMapping):
    """The table from which entry numbers are drawn, one row a county and year."""

    table: str = "KC_BHXL"
    year: str = "ND"
    county: str = "XZQH"
    last: str = "DQH"


_WITHHELD = "90"  # 个人敏感

# Work, marriage and religion are not for the platform's eyes at all, health is sensitive at any
# age (个人信息保护法 art. 28): it learns that there is a reason, not which.
REASONS = {
    "LEARNING_DIFFICULTY": "01",
    "WORK": _WITHHELD,
    "EARLY_MARRIAGE": _WITHHELD,
    "RELIGIOUS": _WITHHELD,
    "ILLNESS_DISABILITY": _WITHHELD,
    "POVERTY": "06",
    "GUARDIAN_NEGLECT": "07",
    "SCHOOL_CONDUCT": "08",
    "DISTANCE": "09",
    "FAMILY_MIGRATION": "10",
    "OTHER": "98",
    "UNKNOWN": "99",
    "": "99",
}
STEPS = {
    "EDUCATION": "1",
    "ORDER_TO_CORRECT": "2",
    "ADMIN_PENALTY": "3",
    "APPLY_ENFORCEMENT": "41",
    "FILE_SUIT": "42",
}
OUTCOMES = {"STARTED": "1", "SERVED": "2", "EFFECTIVE": "3", "INEFFECTIVE": "4"}

KINDS = {
    "absence_entry": KindMapping(
        matter=Matter.ABSENCE,
        code="01",
        fields={
            "school": FieldMapping(column="XXDM"),
            "school_days": FieldMapping(column="QKTS", form=Form.COUNT),
            "reason": FieldMapping(column="QKYY", form=Form.CODE, codes=REASONS),
        },
    ),
    "body_entry": KindMapping(
        matter=Matter.RETRIEVAL_BODY,
        code="02",
        fields={
            "body": FieldMapping(column="QFZT"),
            "row": FieldMapping(column="PDYJ"),
        },
    ),
    "order_entry": KindMapping(
        matter=Matter.RETRIEVAL_ORDER,
        code="03",
        fields={
            "order_no": FieldMapping(column="ZLBH"),
            "issuer": FieldMapping(column="QFDW"),
            "township": FieldMapping(column="XZJD"),
        },
    ),
    "step_entry": KindMapping(
        matter=Matter.RETRIEVAL_STEP,
        code="04",
        fields={
            "order_id": FieldMapping(column="ZLID"),
            "step": FieldMapping(column="SBFBZ", form=Form.CODE, codes=STEPS),
            "outcome": FieldMapping(column="BZJG", form=Form.CODE, codes=OUTCOMES),
            "date": FieldMapping(column="FSRQ", form=Form.DATE),
        },
    ),
    "return_entry": KindMapping(
        matter=Matter.RETURN,
        code="05",
        fields={
            "school": FieldMapping(column="XXDM"),
            "date": FieldMapping(column="FSRQ", form=Form.DATE),
        },
    ),
}


class PlatformTime(LocalTime):
    """Dates and times as the platform writes them."""

    date_format: str = "%Y-%m-%d"
    time_format: str = "%Y-%m-%d %H:%M:%S"


class PlatformMapping(SystemMapping):
    """An assistance platform: where its port's tables are, what columns and codes are called."""

    db_schema: str | None = None
    table: str = "KC_SXDK"
    entry: EntryColumns = EntryColumns()
    numbers: NumberColumns = NumberColumns()
    number_format: str = "ZZ-{year}-{county}-{last:06d}"
    kinds: dict[str, KindMapping] = KINDS
    local_time: PlatformTime = PlatformTime()
