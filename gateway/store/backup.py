"""Backups of a store: a consistent copy and a manifest, in a directory that appears in one piece.

A backup holds personal data as the store does: its directory has mode 0700, its files 0600. The
copy of an SQLite file knows that it is one, so whatever node is started on it recovers.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.engine import URL, make_url

from gateway.store.engine import open_engine, sqlite_file
from gateway.store.migrate import require_current, status
from gateway.store.recovery_tables import starts
from gateway.store.start_counter import sync

MANIFEST: Final = "manifest.json"
SQLITE_COPY: Final = "store.sqlite"
POSTGRESQL_COPY: Final = "store.pgdump"
_OWNER_ONLY: Final = 0o600
_OWNERS_DIRECTORY: Final = 0o700
_MOST_SAID: Final = 120  # characters of what SQLite found; it names pages, never content
REPLACED: Final = "replaced_"
"""How a PostgreSQL schema is called that a restore set aside."""


MARK: Final = (
    "INSERT INTO starts (node, count, from_backup) VALUES (1, 0, 1)"
    " ON CONFLICT (node) DO UPDATE SET from_backup = 1"
)
"""Lets a store know that it is a copy."""


class BackupFault(Exception):
    """The backup or the restore is not carried out; the text says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself: `file` is its copy, `sha256` the copy's digest in hex."""

    node: str
    file: str
    schema: str
    start_count: int
    made_at: str
    sha256: str
    bytes: int


def back_up(url: str, target: Path, node: str, now: datetime) -> Manifest:
    """Copy the store into the new directory `target`, while a node may work on it.

    Raises:
        BackupFault: the target is there already, the copy is damaged, or a tool is missing.
        UnsafeStore, StoreOutdated, sqlalchemy.exc.DBAPIError, OSError: as when a node starts.
    """
    if target.exists():
        raise BackupFault(f"{target} is there already. Name a new directory; none is written over.")
    engine = open_engine(url)
    try:
        require_current(engine)
        schema, count = status(engine).head, _start_count(engine)
    finally:
        engine.dispose()
    target.parent.mkdir(mode=_OWNERS_DIRECTORY, parents=True, exist_ok=True)
    with _in_one_piece(target) as unfinished:
        source = sqlite_file(url)
        copy = unfinished / (SQLITE_COPY if source is not None else POSTGRESQL_COPY)
        copy.touch(mode=_OWNER_ONLY)
        if source is not None:
            _copy_sqlite(source, copy)
        else:
            _dump(make_url(url), copy)
        size = copy.stat().st_size
        manifest = Manifest(node, copy.name, schema, count, now.isoformat(), digest(copy), size)
        written = unfinished / MANIFEST
        written.touch(mode=_OWNER_ONLY)
        written.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
        for path in (copy, written):
            sync(path)
    return manifest


@contextmanager
def _in_one_piece(target: Path) -> Iterator[Path]:
    """Give a directory to fill, which gets its name at the end; of a failure nothing is left."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=_OWNERS_DIRECTORY)
    try:
        yield unfinished
        sync(unfinished)
        unfinished.rename(target)
        sync(target.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def read_backup(source: Path) -> tuple[Manifest, Path]:
    """Read a backup and check that its copy is the one that was made.

    Raises:
        BackupFault: it is not complete, or was changed.
    """
    try:
        manifest = Manifest(**json.loads((source / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise BackupFault(
            f"{source} is no backup: its {MANIFEST} cannot be read. Name the directory that "
            "`gateway backup` wrote."
        ) from None
    copy = source / manifest.file
    if Path(manifest.file).name != manifest.file or not copy.is_file():
        raise BackupFault(f"{source} lacks its copy {manifest.file}. Take another backup.")
    if digest(copy) != manifest.sha256:
        raise BackupFault(
            f"{copy} is not what was backed up: its SHA-256 is another. Take another backup."
        )
    return manifest, copy


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tool(name: str) -> str:
    """Return the path of one of PostgreSQL's own programs. Raises BackupFault."""
    found = shutil.which(name)
    if found is None:
        raise BackupFault(
            f"PostgreSQL's program {name} is not installed here. Install the client programs of "
            "the server's version (postgresql-client), or run this where they are."
        )
    return found


def run_tool(name: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the database of the URL; its password is not shown.

    Raises:
        BackupFault: it is missing or failed.
    """
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own program and a file of ours
        [tool(name), *arguments],
        env=environment_of(url),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupFault(f"{name} failed: {last_line(done.stderr)}")


def environment_of(url: URL) -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs find the database of the URL."""
    server = {
        "PGHOST": str(url.query.get("host", "") or url.host or ""),
        "PGPORT": str(url.query.get("port", "") or url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }
    return {**os.environ, **{name: value for name, value in server.items() if value}}


def last_line(said: str) -> str:
    """Return the last line of what a program has said on its standard error."""
    return (said.strip().splitlines() or ["it says nothing"])[-1]


def mark_as_copy(engine: Engine) -> None:
    """Let the store know that it is a copy: the node that starts on it recovers."""
    with engine.begin() as connection:
        connection.execute(text(MARK))


def _start_count(engine: Engine) -> int:
    with engine.connect().execution_options(reading=True) as connection:
        return int(connection.execute(select(starts.c.count)).scalar() or 0)


def _copy_sqlite(source: Path, copy: Path) -> None:
    """Copy by SQLite's own online backup: one snapshot, whatever is written meanwhile."""
    try:
        with closing(sqlite3.connect(source)) as store, closing(sqlite3.connect(copy)) as made:
            store.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            found = str(made.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as fault:
        found = type(fault).__name__
    if found != "ok":
        raise BackupFault(
            f"The copy of {source} is damaged, and so is the store: {found[:_MOST_SAID]}. Keep its "
            "files, look at the disk, and restore the newest good backup."
        )
    engine = create_engine(f"sqlite:///{copy}")  # without a write-ahead log
    try:
        mark_as_copy(engine)
    finally:
        engine.dispose()


def _dump(url: URL, copy: Path) -> None:
    kept = f"--exclude-schema={REPLACED}*"
    run_tool("pg_dump", url, "--format=custom", "--no-owner", kept, f"--file={copy}")
    run_tool("pg_restore", url, "--list", str(copy))  # it can be read
