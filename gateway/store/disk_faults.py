"""What the disk under an SQLite store may answer, and when a process must not go on with it.

After a failed fsync the kernel forgets which pages it could not write: a second fsync succeeds and
proves nothing. So nothing is tried again on such a disk; the process ends at once, and what it had
acknowledged is exactly what it had synced before. The same holds for a page that cannot be read or
makes no sense. A full or read-only disk is no such case: nothing was lost, and it passes.
"""

import os
import sqlite3
from typing import Final

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from gateway.log_events import LogEvent, log_at_once
from gateway.ports.condition import Code

EXIT_CODE: Final = 74  # EX_IOERR of sysexits.h

_PRIMARY: Final = 0xFF  # an extended result code ends in its primary one
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNTRUSTED: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_FSTAT,
    }
)
_PASSING: Final = {
    sqlite3.SQLITE_FULL: Code.DISK_FULL,
    sqlite3.SQLITE_READONLY: Code.STORE_READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Code.STORE_READ_ONLY,  # its log cannot be made
}


def is_untrusted(code: int) -> bool:
    """Whether an extended result code of SQLite means that the disk must not be used further."""
    return code & _PRIMARY in _DAMAGED or code in _UNTRUSTED


def heed(fault: BaseException) -> None:
    """End the process when the driver's error says so; else do nothing.

    By no exception: whatever closed the database on its way would write and sync once more.
    """
    if is_untrusted(getattr(fault, "sqlite_errorcode", 0)):
        name = getattr(fault, "sqlite_errorname", "")
        log_at_once(LogEvent.STORE_BROKEN, level="error", fault=name)
        os._exit(EXIT_CODE)


def heed_in(context: ExceptionContext) -> None:
    """Do the same as a listener to an engine's `handle_error`."""
    heed(context.original_exception)


def ailment(fault: BaseException) -> Code:
    """Return why the store did not take a transaction.

    A full disk ends the transaction by itself, so that undoing it fails as well: the first error
    tells more than the last.
    """
    code = Code.STORE_AWAY
    one: BaseException | None = fault
    seen: set[int] = set()
    while one is not None and id(one) not in seen:  # errors raised while handling can form a ring
        seen.add(id(one))
        driver = one.orig if isinstance(one, DBAPIError) else one
        code = _PASSING.get(getattr(driver, "sqlite_errorcode", 0) & _PRIMARY, code)
        one = one.__cause__ or one.__context__
    return code
