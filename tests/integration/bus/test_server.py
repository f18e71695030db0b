"""The bundled broker as a process."""

import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.bus.server import BrokerFailed, BundledServer
from tests.integration.bus.certificates import Certificates


def listens(url: str) -> bool:
    """Whether anybody accepts connections there."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_restart_keeps_the_port(tmp_path: Path, certificates: Certificates) -> None:
    """Any free port at first, the same one ever after; stopped means nobody listens."""
    server = BundledServer(tmp_path, certificates.cert, certificates.key, [])
    with server:
        url = server.url
        assert listens(url)
        with pytest.raises(BrokerFailed, match="already"):
            server.start()
    assert server.pid is None
    assert not listens(url)
    with server:
        assert server.url == url
        assert listens(url)


def test_a_broker_that_does_not_heed_sigterm_is_killed(
    tmp_path: Path, certificates: Certificates
) -> None:
    """Stopping ends within its deadline, and stopping twice is harmless."""
    with BundledServer(tmp_path, certificates.cert, certificates.key, []) as server:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        server.stop(0.1)
        assert server.pid is None
        assert not listens(server.url)


def test_a_broker_that_cannot_start_says_so(tmp_path: Path, certificates: Certificates) -> None:
    """A missing certificate is a failure with a name, and no process stays behind."""
    server = BundledServer(tmp_path, tmp_path / "absent.pem", certificates.key, [])
    with pytest.raises(BrokerFailed, match="ended with code"):
        server.start()
    assert server.pid is None
    assert "absent.pem" in (tmp_path / "broker.log").read_text("utf-8")


def test_the_monitor_is_only_there_when_asked(tmp_path: Path, certificates: Certificates) -> None:
    """Without asking there is no HTTP port; asked for, it is on the loopback address."""
    for monitor in (False, True):
        directory = tmp_path / str(monitor)
        with BundledServer(
            directory, certificates.cert, certificates.key, [], monitor=monitor
        ) as server:
            if monitor:
                assert server.monitor_url is not None
                assert urlsplit(server.monitor_url).hostname == "127.0.0.1"
            else:
                assert server.monitor_url is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_the_broker_ends_with_its_parent(tmp_path: Path, certificates: Certificates) -> None:
    """A kill -9 of the process that started the broker leaves no broker behind."""
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from gateway.bus.server import BundledServer
        server = BundledServer(
            Path({str(tmp_path)!r}),
            Path({str(certificates.cert)!r}),
            Path({str(certificates.key)!r}),
            [],
        )
        server.start()
        print(server.pid, flush=True)
        sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    ) as parent:
        assert parent.stdout is not None
        broker = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([broker], [], [], 30)
        assert ended
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(broker, signal.SIGKILL)
        os.close(broker)
