"""What can be found out about a store without changing it, for a node's start and for the doctor.

An SQLite file is opened for reading only. One that no node has open, and whose log is written into
it, is opened as a file that does not change: otherwise the mere look would leave files beside it.
"""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gateway.domain.dead_letters import DeadLetterState
from gateway.ports.condition import Code, Finding, Part, good
from gateway.store import tables
from gateway.store.engine import open_engine, sqlite_file
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import StoreOutdated, require_current, status
from gateway.store.open_mark import OpenMark
from gateway.store.recovery_tables import recoveries

LEAST_FREE: Final = 4 * 1024**2
"""Bytes below which a disk counts as full: room for one transaction and its log is gone."""

_LITTLE_FREE: Final = 1024**3
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ANSWERED_WITHIN: Final = timedelta(hours=24)
_MOST_SAID: Final = 120  # characters of what quick_check says; it names pages, never content


def looking_engine(url: str) -> Engine:
    """Open a store to look at it only.

    Raises:
        UnsafeStore, sqlalchemy.exc.DBAPIError: at the first connection.
    """
    path = sqlite_file(url)
    if path is None:
        return open_engine(url)
    alive = path.with_name(f"{path.name}-wal").exists()
    how = "mode=ro" if alive else "immutable=1"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False
        ),
        poolclass=NullPool,
        hide_parameters=True,
    )


def file_findings(path: Path) -> Iterator[Finding]:
    """Look at an SQLite file from outside: mode, write-ahead log, disk."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OPEN_TO_OTHERS:
        facts = {"path": str(path), "mode": f"{mode:04o}"}
        yield Finding(Part.STORE, Code.OPEN_TO_OTHERS, facts)
    if gone := OpenMark(path).finding():
        yield gone
    yield writable(path)
    yield free_space(path)


def writable(path: Path) -> Finding:
    """Whether file and folder can be written to: SQLite makes its log beside the file."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return good(Part.STORE, "its file and folder can be written to")
    return Finding(Part.STORE, Code.STORE_READ_ONLY)


def free_space(path: Path) -> Finding:
    """How much room the disk has."""
    free = shutil.disk_usage(path.parent).free
    text = f"{free / 1024**3:.1f} GiB" if free >= 1024**3 else f"{free / 1024**2:.0f} MiB"
    if free < LEAST_FREE:
        return Finding(Part.STORE, Code.DISK_FULL, {"free": text})
    if free < _LITTLE_FREE:
        return Finding(Part.STORE, Code.DISK_FILLS, {"free": text})
    return good(Part.STORE, f"the disk has {text} free")


def damage(connection: sqlite3.Connection) -> Finding:
    """Read every page and say whether they make one database (PRAGMA quick_check).

    Reads the whole file: about half a second for a GB in memory, as long as the disk takes for one
    that is not.
    """
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as fault:
        if fault.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return Finding(Part.STORE, Code.STORE_BEING_CHECKED)
        said = str(fault)
    if said == "ok":
        return good(Part.STORE, "every page was read and is whole")
    return Finding(
        Part.STORE, Code.STORE_DAMAGED, {"what": " ".join(str(said).split())[:_MOST_SAID]}
    )


def store_findings(url: str, now: datetime) -> list[Finding]:
    """Look at a store from outside and inside; whether a node has it open does not matter."""
    path = sqlite_file(url)
    findings: list[Finding] = []
    if path is not None:
        if not path.exists():
            return [Finding(Part.STORE, Code.STORE_ABSENT, {"path": str(path)})]
        findings += file_findings(path)
    engine = looking_engine(url)
    try:
        if path is not None:
            with closing(engine.raw_connection()) as connection:
                findings.append(damage(connection.driver_connection))  # type: ignore[arg-type]
        elif status(engine).current is None:
            place = f"postgresql:{make_url(url).database}"
            return [Finding(Part.STORE, Code.STORE_ABSENT, {"path": place})]
        require_current(engine)
        findings.append(good(Part.STORE, "it opens, its schema is current"))
        findings += lane_findings(engine, now)
    except DBAPIError as fault:
        # Its text may quote the URL with its password.
        facts = {"fault": getattr(fault.orig, "sqlite_errorname", type(fault.orig).__name__)}
        findings.append(Finding(Part.STORE, Code.STORE_AWAY, facts))
    except UnsafeStore as fault:
        findings.append(Finding(Part.STORE, Code.STORE_UNSAFE, {"what": str(fault)}))
    except StoreOutdated as fault:
        findings.append(Finding(Part.STORE, Code.STORE_OUTDATED, {"what": str(fault)}))
    finally:
        engine.dispose()
    return findings


def lane_findings(engine: Engine, now: datetime) -> list[Finding]:
    """Count what waits in the store, and for how long. Raises DBAPIError."""
    outbox, parked, deliveries = tables.outbox, tables.parked_events, tables.deliveries
    letters = tables.dead_letters
    with engine.connect().execution_options(reading=True) as connection:
        unanswered, oldest = connection.execute(
            select(func.count(), func.min(outbox.c.message_id)).where(
                outbox.c.next_attempt.is_not(None)
            )
        ).one()
        waiting, since = connection.execute(
            select(func.count(), func.min(parked.c.parked_at))
        ).one()
        dead, died = connection.execute(
            select(func.count(), func.min(letters.c.arose_at)).where(
                letters.c.state == DeadLetterState.OPEN
            )
        ).one()
        held = connection.execute(
            select(func.count()).where(
                deliveries.c.held_until.is_not(None), deliveries.c.message_id.is_(None)
            )
        ).scalar()
    findings = recovery_findings(engine)
    if dead:
        facts = {"count": str(dead), "since": f"{died:%F}"}
        findings.append(Finding(Part.LANES, Code.DEAD_LETTERS, facts))
    if unanswered and now - _made_at(oldest) > _ANSWERED_WITHIN:
        facts = {"count": str(unanswered), "since": f"{_made_at(oldest):%F}"}
        findings.append(Finding(Part.LANES, Code.MAIL_UNANSWERED, facts))
    if waiting:
        facts = {"count": str(waiting), "since": f"{since:%F}"}
        findings.append(Finding(Part.LANES, Code.EVENTS_PARKED, facts))
    if held:
        findings.append(Finding(Part.LANES, Code.MAIL_HELD_BACK, {"count": str(held)}))
    if not any(finding.part is Part.LANES for finding in findings):
        findings.append(good(Part.LANES, f"{unanswered} messages await their receipts"))
    return findings


def recovery_findings(engine: Engine) -> list[Finding]:
    """Name the organisations that recover. Raises DBAPIError."""
    running = select(recoveries.c.org, recoveries.c.since).where(recoveries.c.ended_at.is_(None))
    with engine.connect().execution_options(reading=True) as connection:
        return [
            Finding(Part.STORE, Code.RECOVERING, {"org": row.org, "since": f"{row.since:%F}"})
            for row in connection.execute(running.order_by(recoveries.c.org))
        ]


def _made_at(message_id: str) -> datetime:
    """Return when a message was packed: its identifier begins with the moment (RFC 9562 5.7)."""
    return datetime.fromtimestamp((UUID(message_id).int >> 80) / 1000, UTC)


def remembered(url: str, org: str) -> dict[str, str]:
    """Return an organisation's bookmarks by name; none where the store cannot be read."""
    path, bookmarks = sqlite_file(url), tables.bookmarks
    if path is not None and not path.exists():
        return {}
    engine = looking_engine(url)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            rows = connection.execute(
                select(bookmarks.c.name, bookmarks.c.value).where(bookmarks.c.org == org)
            )
            return {row.name: row.value for row in rows}
    except (DBAPIError, UnsafeStore):
        return {}
    finally:
        engine.dispose()
