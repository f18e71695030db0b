"""A PostgreSQL server for tests: the installed one, started on a local socket, ended with the test.

It refuses to run as root, so root starts it as the user `postgres` that its package made.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

INSTALLED = Path("/usr/lib/postgresql")
HOW = "PostgreSQL is not installed, so the store is not proved on it: apt-get install postgresql"
LONGEST_START = 60.0  # seconds


def programs() -> Path | None:
    """Return the directory of the newest installed server, or None."""
    found = [path for path in INSTALLED.glob("*/bin") if (path / "initdb").is_file()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Run a server of its own; yield its SQLAlchemy URL without a database name."""
    home = programs()
    if home is None:
        pytest.skip(HOW)
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # Not under tmp_path: that is closed to every user but the one who runs the tests.
    with tempfile.TemporaryDirectory(prefix="gateway-pg-") as name:
        directory = Path(name)
        shutil.chown(directory, user)
        data = directory / "data"
        subprocess.run(
            [home / "initdb", "-D", data, "-U", "gateway", "-A", "trust", "-E", "UTF8"],
            user=user if os.geteuid() == 0 else None,
            cwd=directory,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        server = subprocess.Popen(
            [home / "postgres", "-D", data, "-k", directory, "-c", "listen_addresses="],
            user=user if os.geteuid() == 0 else None,
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_answer(server, directory)
            yield f"postgresql+psycopg://gateway@/{{database}}?host={directory}"
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown
            server.wait(LONGEST_START)


def await_answer(server: "subprocess.Popen[bytes]", directory: Path) -> None:
    """Wait until the server lets a client in."""
    deadline = time.monotonic() + LONGEST_START
    while True:
        try:
            psycopg.connect(host=str(directory), user="gateway", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def new_database(template: str, name: str) -> str:
    """Make an empty database and return its URL."""
    host = template.rpartition("host=")[2]
    with psycopg.connect(host=host, user="gateway", dbname="postgres", autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"'.encode())
    return template.format(database=name)
