"""The mark beside an SQLite file: while a node has it open, and after a node that was killed.

SQLite keeps what was committed last in its write-ahead log, and where that file is gone it opens
the rest without a word. The mark's own time is a moment whose commits were in that log or already
in the database: a database file older than the mark, without a log, lacks what was acknowledged.
Whoever closes the database properly writes the log into it first, so that it is newer.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.ports.condition import Code, Finding, Part

_COARSE: Final = 0.1  # seconds; the times of files lag behind the clock by a tick of the kernel


class OpenMark:
    """The mark of one SQLite file."""

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(f".{store.name}.open")
        self._store = store
        self._log = store.with_name(f"{store.name}-wal")

    def finding(self) -> Finding | None:
        """Say when the write-ahead log was removed from under what was acknowledged."""
        if self._log.exists() or not self.path.exists() or not self._store.exists():
            return None
        acknowledged = self.path.stat().st_mtime
        written = self._store.stat().st_mtime
        if written >= acknowledged:
            return None
        since = datetime.fromtimestamp(written, UTC)
        facts = {"path": self._log.name, "mark": str(self.path), "since": f"{since:%F %TZ}"}
        return Finding(Part.STORE, Code.STORE_LOG_MISSING, facts)

    def begin(self) -> None:
        """Set the mark, at first with the time of the file itself: nothing is committed yet.

        One that a killed node has left stays as it is: its commits may still be in the log.
        """
        if not self.path.exists():
            written = self._store.stat().st_mtime
            self.path.touch(mode=0o600)
            os.utime(self.path, (written, written))

    def moment(self) -> float:
        """Return the time to set once a commit that begins now has succeeded."""
        return time.time() - _COARSE

    def committed(self, moment: float) -> None:
        """Note that a commit succeeded that began at this moment or later."""
        os.utime(self.path, (moment, moment))

    def end(self) -> None:
        """Remove the mark, unless somebody else still keeps the log open."""
        if not self._log.exists():
            self.path.unlink(missing_ok=True)
