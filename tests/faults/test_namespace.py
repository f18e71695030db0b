"""W1 with the kernel's own packets: loopback of a network namespace goes down under a province."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.reporting import FaultReport

_ROOT = Path(__file__).resolve().parents[2]
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"),
    reason="a network namespace needs root, unshare and ip",
)


@needs_root
@pytest.mark.faults
@pytest.mark.fault("W1")
@pytest.mark.timeout(400)
def test_packets_vanish_between_everybody(tmp_path: Path, fault_report: FaultReport) -> None:
    """All packets of a province are lost for a while, again and again: everything arrives once."""
    command = ["unshare", "--net", "--", sys.executable, "-m", "tests.faults.namespace_story"]
    done = subprocess.run(
        [*command, tmp_path / "province"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    fault_report.inject("every packet lost", told["injected"])
    fault_report.healed += told["healed"]
    assert not told["findings"], told["findings"]
