"""A stand-in for the dropout-control port of the assistance platform (政府救助平台), in SQL.

Column names and codes follow the fashion of such systems: pinyin initials, local time without a
zone, entry numbers drawn a county and year from a table. Made up for demonstrations and tests;
not a copy of the real platform.

Matters (SXLX): 01 absence, 02 retrieval body, 03 retrieval order, 04 step, 05 return. WBLSH is the
serial that another system gave the matter: unique, empty for what a clerk typed in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    NullPool,
    RowMapping,
    String,
    Table,
    create_engine,
    insert,
    select,
    update,
)

_METADATA = MetaData()
ENTRIES = Table(
    "KC_SXDK",
    _METADATA,
    Column("DKXH", Integer, primary_key=True, comment="端口序号"),
    Column("SXBH", String(32), nullable=False, unique=True, comment="事项编号"),
    Column("SXLX", String(2), nullable=False, comment="事项类型"),
    Column("YWBH", String(64), comment="业务编号"),
    Column("WBLSH", String(64), unique=True, comment="外部流水号"),
    Column("DXBS", String(64), comment="对象标识"),
    Column("XM", String(50), comment="姓名(脱敏)"),
    Column("ZJHM", String(18), comment="证件号码(脱敏)"),
    Column("XJH", String(19), comment="学籍号(脱敏)"),
    Column("XZQH", String(6), nullable=False, comment="行政区划"),
    Column("XXDM", String(64), comment="学校代码"),
    Column("QKTS", Integer, comment="缺课天数"),
    Column("QKYY", String(2), comment="缺课原因"),
    Column("QFZT", String(64), comment="劝返主体"),
    Column("PDYJ", String(64), comment="判定依据"),
    Column("ZLBH", String(64), comment="指令编号"),
    Column("QFDW", String(64), comment="签发单位"),
    Column("XZJD", String(64), comment="乡镇(街道)"),
    Column("ZLID", String(64), comment="指令标识"),
    Column("SBFBZ", String(2), comment="四步法步骤"),
    Column("BZJG", String(2), comment="步骤结果"),
    Column("FSRQ", String(10), comment="发生日期"),
    Column("LRSJ", DateTime, nullable=False, comment="录入时间"),
    sqlite_autoincrement=True,
)
NUMBERS = Table(
    "KC_BHXL",
    _METADATA,
    Column("ND", Integer, primary_key=True, autoincrement=False, comment="年度"),
    Column("XZQH", String(6), primary_key=True, comment="行政区划"),
    Column("DQH", Integer, nullable=False, comment="当前号"),
)
MATTERS = {
    "01": "缺课登记",
    "02": "劝返主体确认",
    "03": "劝返指令",
    "04": "四步法步骤",
    "05": "复学登记",
}
"""What the platform's screen calls each matter."""


@dataclass(frozen=True)
class ScreenLine:
    """An entry as the platform shows it to its clerk; `details` holds the matter's own columns.

    `entered_at` is local time without a zone, `name` is masked.
    """

    entry_no: str
    matter: str
    name: str
    county: str
    details: dict[str, str]
    entered_at: datetime
    by_hand: bool


def create(url: str) -> None:
    """Create the platform's tables where they are missing; `url` as SQLAlchemy writes it."""
    with _transaction(url) as connection:
        _METADATA.create_all(connection)


def entries(url: str) -> list[ScreenLine]:
    """Return every entry, oldest first, as the platform's screen shows it."""
    with _transaction(url) as connection:
        rows = connection.execute(select(ENTRIES).order_by(ENTRIES.c.DKXH)).mappings().all()
    return [_screen_line(row) for row in rows]


def enter_by_hand(url: str, matter: str, county: str, *, object_id: str = "") -> str:
    """Enter what a clerk typed in: a code of MATTERS for a county (6 digits).

    Returns:
        The number of the entry.
    """
    now = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    now = now.replace(tzinfo=None, microsecond=0)
    with _transaction(url) as connection:
        own = (NUMBERS.c["ND"] == now.year, NUMBERS.c["XZQH"] == county)
        drawn = connection.execute(update(NUMBERS).where(*own).values(DQH=NUMBERS.c.DQH + 1))
        if drawn.rowcount == 0:
            connection.execute(insert(NUMBERS), {"ND": now.year, "XZQH": county, "DQH": 1})
        last = connection.execute(select(NUMBERS.c.DQH).where(*own)).scalar_one()
        number = f"ZZ-{now.year}-{county}-{last:06d}"
        row = {"SXBH": number, "SXLX": matter, "YWBH": object_id, "XZQH": county, "LRSJ": now}
        connection.execute(insert(ENTRIES), row)
    return number


_SHOWN_APART = frozenset({"DKXH", "SXBH", "SXLX", "WBLSH", "XM", "XZQH", "LRSJ"})


def _screen_line(row: RowMapping) -> ScreenLine:
    details = {
        str(column.comment): str(row[column.name])
        for column in ENTRIES.columns
        if column.name not in _SHOWN_APART and row[column.name] not in (None, "")
    }
    return ScreenLine(
        entry_no=row["SXBH"],
        matter=MATTERS.get(row["SXLX"], row["SXLX"]),
        name=row["XM"] or "",
        county=row["XZQH"],
        details=details,
        entered_at=row["LRSJ"],
        by_hand=row["WBLSH"] is None,
    )


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
