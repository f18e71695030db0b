"""Backups: whole, closed to others, known as copies; and restoring them, on either database."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import insert, select

from gateway.store import backup as backup_module
from gateway.store.backup import MANIFEST, BackupFault, back_up, read_backup
from gateway.store.claim import StoreClaim
from gateway.store.engine import open_engine
from gateway.store.faults import UnsafeStore
from gateway.store.migrate import migrate
from gateway.store.recovery_tables import starts
from gateway.store.restore import restore
from gateway.store.tables import counters
from tests.stores import Stores

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def url(stores: Stores, tmp_path: Path) -> str:
    """A store with a start counter of 5 and one number in it."""
    found = stores(tmp_path / "node.db")
    engine = open_engine(found)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(insert(starts).values(node=1, count=5, from_backup=0))
        connection.execute(insert(counters).values(org="530102/edu", name="letter 2026", value=3))
    engine.dispose()
    return found


def contents(url: str) -> tuple[list[int], tuple[int, int] | None]:
    """Return the numbers in a store, and its start counter."""
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            numbers = list(connection.scalars(select(counters.c.value)))
            row = connection.execute(select(starts.c.count, starts.c.from_backup)).first()
            return numbers, (row[0], row[1]) if row else None
    finally:
        engine.dispose()


def count_on(url: str) -> None:
    """Let something happen after the backup."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(counters).values(org="530102/edu", name="order 2026", value=9))
    engine.dispose()


@pytest.mark.every_store
def test_a_backup_comes_back_as_a_copy(url: str, tmp_path: Path) -> None:
    """What is restored is what was backed up, and it knows that it is a copy."""
    target = tmp_path / "backups" / "monday"
    manifest = back_up(url, target, "wuhua", NOW)
    assert (manifest.node, manifest.start_count) == ("wuhua", 5)
    count_on(url)
    found, kept = restore(url, target, replace=True, now=NOW)
    assert found == manifest
    assert kept
    assert contents(url) == ([3], (5, 1))


@pytest.mark.every_store
def test_a_store_that_is_not_empty_is_not_written_over(url: str, tmp_path: Path) -> None:
    """Without --replace nothing is changed; with it the old store is kept aside."""
    back_up(url, tmp_path / "b", "wuhua", NOW)
    count_on(url)
    with pytest.raises(BackupFault, match="already"):
        restore(url, tmp_path / "b", replace=False, now=NOW)
    assert sorted(contents(url)[0]) == [3, 9]


@pytest.mark.sqlite_alone
def test_the_old_file_is_kept_whole(url: str, tmp_path: Path) -> None:
    """What was set aside is the old store with all that was in it."""
    back_up(url, tmp_path / "b", "wuhua", NOW)
    count_on(url)
    _, kept = restore(url, tmp_path / "b", replace=True, now=NOW)
    with closing(sqlite3.connect(kept)) as old:
        assert old.execute("SELECT count(*) FROM counters").fetchone() == (2,)
    assert Path(url.removeprefix("sqlite:///")).stat().st_mode & 0o777 == 0o600


@pytest.mark.sqlite_alone
def test_it_is_closed_to_others_and_one_file(url: str, tmp_path: Path) -> None:
    """The directory has mode 0700, its files 0600; there is a copy and a manifest, nothing else."""
    target = tmp_path / "b"
    manifest = back_up(url, target, "wuhua", NOW)
    assert {path.name for path in target.iterdir()} == {MANIFEST, manifest.file}
    assert target.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    assert not list(tmp_path.glob(".*unfinished"))
    said = json.loads((target / MANIFEST).read_text())
    assert said["made_at"] == NOW.isoformat()
    assert said["bytes"] == (target / manifest.file).stat().st_size


@pytest.mark.sqlite_alone
def test_a_backup_is_consistent_while_the_store_is_written(url: str, tmp_path: Path) -> None:
    """Two numbers that are always raised together are equal in the copy."""
    enough, begun = Event(), Event()

    def write() -> None:
        engine = open_engine(url)
        number = 0
        while not enough.is_set():
            number += 1
            with engine.begin() as connection:
                for name in ("one", "other"):
                    connection.execute(
                        insert(counters).values(org="x", name=f"{name} {number}", value=number)
                    )
            begun.set()
        engine.dispose()

    writer = Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        back_up(url, tmp_path / "b", "wuhua", NOW)
    finally:
        enough.set()
        writer.join(30)
    with closing(sqlite3.connect(tmp_path / "b" / backup_module.SQLITE_COPY)) as copy:
        one, other = (
            copy.execute(
                "SELECT count(*) FROM counters WHERE name LIKE ?", (f"{name} %",)
            ).fetchone()
            for name in ("one", "other")
        )
    assert one == other
    assert one[0] > 0


@pytest.mark.sqlite_alone
def test_a_target_is_never_written_over(url: str, tmp_path: Path) -> None:
    """A directory that is there stays as it is."""
    (tmp_path / "b").mkdir()
    with pytest.raises(BackupFault, match="there already"):
        back_up(url, tmp_path / "b", "wuhua", NOW)
    assert not list((tmp_path / "b").iterdir())


@pytest.mark.sqlite_alone
def test_a_damaged_store_gives_no_backup(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that does not pass SQLite's own check never gets its name."""
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as store:
        page = store.execute("PRAGMA page_size").fetchone()[0]
        root = store.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_letters_org_state_id'"
        ).fetchone()[0]
    monkeypatch.setattr(backup_module, "require_current", lambda _engine: None)
    with path.open("r+b") as file:
        file.seek((root - 1) * page)
        file.write(b"\xff" * page)
    with pytest.raises(BackupFault, match="damaged"):
        back_up(url, tmp_path / "b", "wuhua", NOW)
    assert not (tmp_path / "b").exists()
    assert not list(tmp_path.glob(".*unfinished")), "a copy with personal data was left behind"


@pytest.mark.sqlite_alone
def test_a_changed_backup_is_not_restored(url: str, tmp_path: Path) -> None:
    """One changed byte of the copy is noticed, and the store stays."""
    manifest = back_up(url, tmp_path / "b", "wuhua", NOW)
    copy = tmp_path / "b" / manifest.file
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(bytes(data))
    with pytest.raises(BackupFault, match="SHA-256"):
        restore(url, tmp_path / "b", replace=True, now=NOW)
    assert contents(url) == ([3], (5, 0))


@pytest.mark.sqlite_alone
@pytest.mark.parametrize(
    ("change", "what"),
    [({"schema": "9999"}, "does not know"), ({"file": "../node.db"}, "lacks its copy")],
)
def test_a_foreign_manifest_is_refused(
    url: str, tmp_path: Path, change: dict[str, str], what: str
) -> None:
    """A schema that this gateway does not know, or a copy that lies elsewhere, is refused."""
    manifest = replace(back_up(url, tmp_path / "b", "wuhua", NOW), **change)  # type: ignore[arg-type]
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest.__dict__))
    with pytest.raises(BackupFault, match=what):
        restore(url, tmp_path / "b", replace=True, now=NOW)


def test_what_is_no_backup_is_said_so(tmp_path: Path) -> None:
    """A directory without a manifest, or with another text, is no backup."""
    with pytest.raises(BackupFault, match="no backup"):
        read_backup(tmp_path)
    (tmp_path / MANIFEST).write_text("[]")
    with pytest.raises(BackupFault, match="no backup"):
        read_backup(tmp_path)


@pytest.mark.sqlite_alone
def test_a_store_at_work_is_not_replaced(url: str, tmp_path: Path) -> None:
    """While a node has the store, nothing takes its place."""
    back_up(url, tmp_path / "b", "wuhua", NOW)
    with StoreClaim(url), pytest.raises(UnsafeStore, match="Another process"):
        restore(url, tmp_path / "b", replace=True, now=NOW)


@pytest.mark.sqlite_alone
def test_a_new_host_gets_the_store(url: str, tmp_path: Path) -> None:
    """An empty place needs no --replace, and nothing is kept aside."""
    back_up(url, tmp_path / "b", "wuhua", NOW)
    there = f"sqlite:///{tmp_path}/other/node.db"
    _, kept = restore(there, tmp_path / "b", replace=False, now=NOW)
    assert kept == ""
    assert contents(there) == ([3], (5, 1))


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PostgreSQL's programs are not installed, the one that is missing is named."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupFault, match="pg_dump is not installed"):
        backup_module.tool("pg_dump")
