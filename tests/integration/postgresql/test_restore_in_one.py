"""Restoring a database happens at once: whatever dies on the way, nothing is half restored."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from gateway.store import restore as restoring
from gateway.store.backup import BackupFault, back_up
from gateway.store.engine import open_engine
from gateway.store.recovery_tables import starts
from gateway.store.restore import restore
from tests.postgresql import PostgresqlServer

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def copy(url: str, tmp_path: Path) -> Path:
    """The backup of a store that was started five times, and six times since."""
    set_starts(url, 5)
    back_up(url, tmp_path / "backup", "wuhua", NOW)
    set_starts(url, 6)
    return tmp_path / "backup"


def set_starts(url: str, count: int) -> None:
    """Have the store count so many starts."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(starts.delete())
        connection.execute(insert(starts).values(node=1, count=count, from_backup=0))
    engine.dispose()


def known(url: str) -> tuple[int, bool]:
    """Return how many starts the store counts, and whether it knows that it is a copy."""
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            count, from_backup = connection.execute(
                select(starts.c.count, starts.c.from_backup)
            ).one()
            return count, bool(from_backup)
    finally:
        engine.dispose()


def kept_aside(url: str) -> int:
    """Return how many schemas a restore has set aside."""
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            found = connection.execute(
                text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replaced%'")
            )
            return int(found.scalar_one())
    finally:
        engine.dispose()


def test_death_after_the_load(url: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there once the load has ended knows that it is a copy, before anything else is done."""

    def die(_engine: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "migrate", die)
    with pytest.raises(KeyboardInterrupt):
        restore(url, copy, replace=True, now=NOW)
    assert known(url) == (5, True)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which a program is looked for before all others."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return directory


def test_a_reader_that_dies_half_way(url: str, copy: Path, programs: Path) -> None:
    """When not all of the backup could be read the old store is where it was, whole."""
    real = shutil.which("pg_restore")
    broken = programs / "pg_restore"
    broken.write_text(f'#!/bin/sh\n{real} "$@" | head -c 20000\necho "disk gone" >&2\nexit 1\n')
    broken.chmod(0o755)
    with pytest.raises(BackupFault, match="disk gone"):
        restore(url, copy, replace=True, now=NOW)
    assert known(url) == (6, False)
    assert kept_aside(url) == 0


def test_a_database_that_refuses(url: str, copy: Path, postgresql: PostgresqlServer) -> None:
    """An error of the server leaves the old store where it was, and is named."""
    name = url.partition("@/")[2].partition("?")[0]
    with postgresql.connect(name) as link:
        link.execute(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF tg_tag = 'CREATE INDEX' THEN"
            " RAISE EXCEPTION 'no index'; END IF; END $$"
        )
        link.execute("CREATE EVENT TRIGGER refusal ON ddl_command_end EXECUTE FUNCTION refuse()")
    with pytest.raises(BackupFault, match="no index"):
        restore(url, copy, replace=True, now=NOW)
    assert known(url) == (6, False)
    assert kept_aside(url) == 0


def test_it_ends_well(url: str, copy: Path) -> None:
    """Else the copy is in the place of the old store, which is kept beside."""
    restore(url, copy, replace=True, now=NOW)
    assert known(url) == (5, True)
    assert kept_aside(url) == 1
