"""A stand-in for a provincial household register (人口基础信息), in SQL.

Column names and codes follow the fashion of such registers: pinyin initials, dates as text, one
row for every registration a person ever had, a change log with a serial. Made up for
demonstrations and tests; not a copy of any real register.

Cancellation marks (ZXBS): 0 current, 1 dead, 2 moved out of the province, 3 moved inside it, 4
cancelled as a duplicate, 9 cancelled otherwise. Kinds of change (BDLX): 11 moved inside the
province, 12 moved out, 13 moved in, 14 first registration, 21 dead, 22 cancelled, 31 data mended.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    NullPool,
    RowMapping,
    String,
    Table,
    create_engine,
    func,
    insert,
    select,
    update,
)

from adapters.reference.people import Child

PROVINCE = "53"
CURRENT, DECEASED, MOVED_OUT, MOVED_INSIDE, DUPLICATE, OTHERWISE = "0", "1", "2", "3", "4", "9"
"""Cancellation marks."""

_METADATA = MetaData()
REGISTRATIONS = Table(
    "RK_CZRK",
    _METADATA,
    Column("CZRKID", Integer, primary_key=True, comment="序号"),
    Column("GMSFHM", String(18), nullable=False, index=True, comment="公民身份号码"),
    Column("XM", String(50), nullable=False, comment="姓名"),
    Column("CYM", String(50), comment="曾用名"),
    Column("XB", String(1), nullable=False, comment="性别"),
    Column("CSRQ", String(8), nullable=False, index=True, comment="出生日期"),
    Column("HKSZD_QX", String(6), nullable=False, comment="户口所在地县区"),
    Column("HKSZD_XZ", String(12), comment="户口所在地乡镇"),
    Column("QRRQ", String(8), comment="迁入日期"),
    Column("ZXBS", String(1), nullable=False, server_default=CURRENT, comment="注销标识"),
    Column("ZXRQ", String(8), comment="注销日期"),
    Column("QWD_QH", String(6), comment="迁往地区划"),
)
CHANGE_LOG = Table(
    "RK_BDXX",
    _METADATA,
    Column("BDXH", Integer, primary_key=True, comment="变动序号"),
    Column("GMSFHM", String(18), nullable=False, comment="公民身份号码"),
    Column("CSRQ", String(8), nullable=False, comment="出生日期"),
    Column("BDLX", String(2), nullable=False, comment="变动类型"),
    Column("BDH_QX", String(6), comment="变动后县区"),
    Column("BDH_XZ", String(12), comment="变动后乡镇"),
    Column("BDRQ", String(8), nullable=False, comment="变动日期"),
    Column("DJSJ", String(14), nullable=False, comment="登记时间"),
    sqlite_autoincrement=True,
)
Index("IX_RK_BDXX_GMSFHM", CHANGE_LOG.c.GMSFHM)


@dataclass(frozen=True)
class Registration:
    """A child registered at a place: county (6 digits), township (9), since when."""

    child: Child
    county: str
    township: str = ""
    since: date | None = None


def create(url: str) -> None:
    """Create the register's tables where they are missing; `url` as SQLAlchemy writes it."""
    with _transaction(url) as connection:
        _METADATA.create_all(connection)


def seed(url: str, people: Iterable[Registration]) -> None:
    """Put registrations in as the register's stock; the change log says nothing of them."""
    with _transaction(url) as connection:
        for entry in people:
            connection.execute(insert(REGISTRATIONS), _row(entry))


def move(url: str, id_number: str, county: str, township: str = "", *, on: date) -> int:
    """Register a person at a new place, inside or outside the province.

    Returns:
        The serial of the change.

    Raises:
        LookupError: no current registration under that number.
    """
    with _transaction(url) as connection:
        held = _current(connection, id_number)
        leaves = not county.startswith(PROVINCE)
        mark = MOVED_OUT if leaves else MOVED_INSIDE
        _end(connection, held, mark, on, destination=county)
        if not leaves:
            kept = {name: held[name] for name in ("GMSFHM", "XM", "CYM", "XB", "CSRQ")}
            place = {"HKSZD_QX": county, "HKSZD_XZ": township or None, "QRRQ": f"{on:%Y%m%d}"}
            connection.execute(insert(REGISTRATIONS), {**kept, **place})
        return _log(connection, held, "12" if leaves else "11", on, (county, township))


def cancel(url: str, id_number: str, mark: str, *, on: date) -> int:
    """End a registration: DECEASED, DUPLICATE or OTHERWISE.

    Returns:
        The serial of the change.

    Raises:
        LookupError: no current registration under that number.
    """
    with _transaction(url) as connection:
        held = _current(connection, id_number)
        _end(connection, held, mark, on, destination=None)
        return _log(connection, held, "21" if mark == DECEASED else "22", on, (None, None))


def rename(url: str, id_number: str, name: str, *, on: date) -> int:
    """Change a person's name; the old one is kept as the former name.

    Returns:
        The serial of the change.

    Raises:
        LookupError: no current registration under that number.
    """
    with _transaction(url) as connection:
        held = _current(connection, id_number)
        connection.execute(
            update(REGISTRATIONS)
            .where(REGISTRATIONS.c["CZRKID"] == held["CZRKID"])
            .values(XM=name, CYM=held["XM"])
        )
        return _log(connection, held, "31", on, (held["HKSZD_QX"], held["HKSZD_XZ"]))


def _row(entry: Registration) -> Mapping[str, str | None]:
    return {
        "GMSFHM": entry.child.id_number,
        "XM": entry.child.name,
        "XB": entry.child.sex,
        "CSRQ": f"{entry.child.birth_date:%Y%m%d}",
        "HKSZD_QX": entry.county,
        "HKSZD_XZ": entry.township or None,
        "QRRQ": f"{entry.since or entry.child.birth_date:%Y%m%d}",
    }


def _current(connection: Connection, id_number: str) -> RowMapping:
    found = connection.execute(
        select(REGISTRATIONS).where(
            REGISTRATIONS.c["GMSFHM"] == id_number, REGISTRATIONS.c["ZXBS"] == CURRENT
        )
    )
    row = found.mappings().first()
    if row is None:
        raise LookupError("no current registration under that number")
    return row


def _end(
    connection: Connection, held: RowMapping, mark: str, on: date, destination: str | None
) -> None:
    connection.execute(
        update(REGISTRATIONS)
        .where(REGISTRATIONS.c["CZRKID"] == held["CZRKID"])
        .values(ZXBS=mark, ZXRQ=f"{on:%Y%m%d}", QWD_QH=destination)
    )


def _log(
    connection: Connection,
    held: RowMapping,
    kind: str,
    on: date,
    place: tuple[str | None, str | None],
) -> int:
    now = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    connection.execute(
        insert(CHANGE_LOG),
        {
            "GMSFHM": held["GMSFHM"],
            "CSRQ": held["CSRQ"],
            "BDLX": kind,
            "BDH_QX": place[0],
            "BDH_XZ": place[1] or None,
            "BDRQ": f"{on:%Y%m%d}",
            "DJSJ": f"{now:%Y%m%d%H%M%S}",
        },
    )
    return int(connection.execute(select(func.max(CHANGE_LOG.c.BDXH))).scalar_one())


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
