"""One node in a process of its own, to be killed: `python -m tests.faults.node_process CONFIG NOW`.

It is the node of `gateway serve`; only its clock is the test's: CONFIG is its settings as JSON, NOW
the moment at which its clock starts (ISO 8601).
"""

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path

from gateway import log_events
from gateway.bootstrap.node import Node
from gateway.config import NodeConfig
from tests.world.moving_clock import MovingClock


async def _serve(config: NodeConfig, start: datetime) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await Node(config, MovingClock(start)).run(stop, lambda _address: None)


def main() -> None:
    """Serve as the command line says, until SIGTERM."""
    log_events.configure("INFO")
    config = NodeConfig.model_validate_json(Path(sys.argv[1]).read_bytes())
    asyncio.run(_serve(config, datetime.fromisoformat(sys.argv[2])))


if __name__ == "__main__":
    main()
