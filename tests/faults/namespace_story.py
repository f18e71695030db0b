"""A story in a network of its own whose packets are lost: `python -m tests.faults.namespace_story DIR`.

Run inside a fresh network namespace (`unshare --net`), where loopback is ours alone: taken down, it
swallows every packet between clients, nodes and broker without a word to either end.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from gateway.crypto.development import Estate
from tests.faults.processes import ProcessProvince
from tests.world.estate import ESTATE, WUHUA, ZHENXIONG
from tests.world.story import Story
from tests.world.waiting import eventually

_NAMES = {"wuhua", "zhenxiong", "police"}
_PROBE = 0.3  # seconds
_OUTAGES = (0.5, 3.0, 8.0)  # seconds


def loopback(state: str) -> None:
    """Take the only interface `up` or `down`."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def dropped(province: ProcessProvince) -> bool:
    """Whether nothing gets through now: the proof of the outage."""
    broker = urlsplit(province.broker.url)
    try:
        socket.create_connection((broker.hostname, broker.port), timeout=_PROBE).close()
    except OSError:
        return True
    return False


def main() -> None:
    """Tell a story for each outage, then audit; print what was injected and what it took."""
    loopback("up")
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = ProcessProvince(Path(sys.argv[1]), estate)
    injected, healed = 0, []
    try:
        province.start()
        for seconds in _OUTAGES:
            story = Story(province)
            story.due(ZHENXIONG.division)
            story.dispatched(ZHENXIONG)
            loopback("down")
            injected += dropped(province)
            time.sleep(seconds)  # the outage itself, no waiting for anything
            loopback("up")
            begun = time.monotonic()
            story.letter(WUHUA, "DELIVERED")
            story.registered(ZHENXIONG)
            story.accepted(ZHENXIONG)
            eventually(province.audit.settled, "everything receipted", most=90.0)
            healed.append(time.monotonic() - begun)
        findings = [str(finding) for finding in province.audit.healed().found]
    finally:
        province.close()
    sys.stdout.write(json.dumps({"injected": injected, "healed": healed, "findings": findings}))


if __name__ == "__main__":
    main()
