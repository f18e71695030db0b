"""A PostgreSQL server for tests: the installed one, started on a local socket, ended with the test.

It refuses to run as root, so root starts it as the user `postgres` that its package made. Its text
is sorted by a language, not by bytes as SQLite's: nothing in the gateway may rest on either.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

INSTALLED = Path("/usr/lib/postgresql")
HOW = (
    "PostgreSQL 15 or newer is not installed, so the store cannot be proved on it. "
    "Debian, Ubuntu: apt-get install postgresql; elsewhere: put its initdb and postgres on PATH."
)
LONGEST_START = 60.0  # seconds
MEMORY, ENOUGH = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 - a directory of its own is made there
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    # What only makes it busy beside the tests.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}


class PostgresqlMissing(Exception):
    """No server is installed: the tests fail and say how to mend it; none is skipped."""


def programs() -> Path:
    """Return the directory of the newest installed server. Raises PostgresqlMissing."""
    found = [path for path in INSTALLED.glob("*/bin") if (path / "initdb").is_file()]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgresqlMissing(HOW)
    return Path(on_path).resolve().parent


class PostgresqlServer:
    """A server with a data directory of its own; it can be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._home = programs()
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://gateway@/{{database}}?host={directory}"
        """SQLAlchemy's URL, without the name of a database."""

    def initialise(self, *options: str) -> None:
        """Make the data directory."""
        shutil.chown(self.directory, self._user)
        language = ("--locale=C", "--locale-provider=icu", "--icu-locale=zh")
        self._run("initdb", "-U", "gateway", "-A", "trust", "-E", "UTF8", *language, *options)

    def follow(self, primary: "PostgresqlServer") -> None:
        """Make the data directory as that of a hot standby of another server."""
        shutil.chown(self.directory, self._user)
        source = ("-h", str(primary.directory), "-U", "gateway")
        self._run("pg_basebackup", *source, "--write-recovery-conf", "--checkpoint=fast")

    def start(self) -> None:
        """Start the server and return when it lets a client in."""
        options = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        data, sockets = str(self.directory / "data"), str(self.directory)
        self._process = subprocess.Popen(
            [self._home / "postgres", "-D", data, "-k", sockets, *options],
            user=self._as_user(),
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + LONGEST_START
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to it as its owner, each statement a transaction of its own."""
        host = str(self.directory)
        return psycopg.connect(host=host, user="gateway", dbname=database, autocommit=True)

    def new_database(self, name: str, *, like: str = "template1") -> str:
        """Make a database, empty or a copy of another, and return its URL."""
        with self.connect() as link:
            link.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'.encode())
        return self.url.format(database=name)

    def drop_database(self, url: str) -> None:
        """Remove a database that `new_database` has made, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        with self.connect() as link:
            link.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def kill(self) -> None:
        """Kill it as a power cut of the process would; its children follow by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(LONGEST_START)
        # The next server refuses to start while a child of the last one has the shared memory.
        while self._children():
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it at once; what it holds is thrown away, so nothing is written to its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(LONGEST_START)

    def _children(self) -> bool:
        """Whether a process of this server is left; each works in the data directory."""
        data = str(self.directory / "data")
        for process in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):
                if str(process.readlink()) == data:
                    return True
        return False

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._home / program, "-D", self.directory / "data", *arguments],
            user=self._as_user(),
            cwd=self.directory,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _as_user(self) -> str | None:
        return self._user if os.geteuid() == 0 else None


@contextmanager
def running_postgresql(primary: PostgresqlServer | None = None) -> Iterator[PostgresqlServer]:
    """Run a server, or a hot standby of another one. Raises PostgresqlMissing."""
    # Not under tmp_path: that is closed to every user but the one who runs the tests. In memory
    # where there is room: no test cuts the power, and a killed server finds its files there too.
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    with tempfile.TemporaryDirectory(prefix="gateway-pg-", dir=MEMORY if roomy else None) as name:
        server = PostgresqlServer(Path(name))
        if primary is None:
            server.initialise("--data-checksums")
        else:
            server.follow(primary)
        server.start()
        try:
            yield server
        finally:
            server.stop()
