"""What can happen to the broker of a province, and what the nodes say of it."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from gateway.log_events import LogEvent
from tests.faults.processes import ProcessProvince
from tests.world.waiting import eventually

_STREAM_INFO = "$JS.API.STREAM.INFO.MAIL"


def said(province: ProcessProvince, event: LogEvent, **codes: str) -> int:
    """Count the lines of all nodes' logs that tell of an event."""
    wanted = [f'"event": "{event}"', *(f'"{name}": "{code}"' for name, code in codes.items())]
    return sum(
        all(part in line for part in wanted)
        for name in province.nodes
        for line in (province.directory / f"{name}.log").read_text().splitlines()
    )


def stream_state(province: ProcessProvince) -> dict[str, Any]:
    """Ask the broker how its stream stands."""

    async def ask() -> bytes:
        return await province.observer.ask(_STREAM_INFO)

    state: dict[str, Any] = json.loads(province.run(ask()))["state"]
    return state


def lose_disk(province: ProcessProvince) -> None:
    """Take all that the dead broker has on disk."""
    shutil.rmtree(province.broker.store_dir)


def copy_disk(province: ProcessProvince) -> Path:
    """Copy all that the dead broker has on disk, as a backup would."""
    copy = province.directory / "broker" / f"copy-{time.monotonic_ns()}"
    shutil.copytree(province.broker.store_dir, copy)
    return copy


def restore_disk(province: ProcessProvince, copy: Path, part: str) -> None:
    """Put an older copy back: of everything, or of some directories under the stream."""
    for older in [copy] if not part else copy.rglob(part):
        place = province.broker.store_dir / older.relative_to(copy)
        shutil.rmtree(place)
        shutil.copytree(older, place)


def newest_block(province: ProcessProvince) -> Path:
    """Return the file with the mail that came last."""
    blocks = list(province.broker.store_dir.rglob("MAIL/msgs/*.blk"))
    return max(blocks, key=lambda path: int(path.stem))


def turn_a_bit(path: Path) -> None:
    """Turn one bit of the second half."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path: Path) -> None:
    """Cut off the second half."""
    os.truncate(path, path.stat().st_size // 2)


def freeze(province: ProcessProvince, seconds: float) -> None:
    """Have the broker stand still for so long."""
    pid = province.broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: _stands_still(pid), "the broker frozen")
        time.sleep(seconds)  # the fault itself
    finally:
        os.kill(pid, signal.SIGCONT)


def _stands_still(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"
