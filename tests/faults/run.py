"""`make faults`: simulation, matrix and campaign, then the table of results in docs/faults.md.

The campaign comes last and takes what is left of the time. Options set its size; with any of them
smaller than promised the table says so by its counts.
"""

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from pathlib import Path

from tests.faults.reporting import RESULTS
from tests.faults.results import page, read

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "faults.md"
_SIMULATION = ("tests/delivery", "-m", "faults")
_MATRIX = ("tests", "-m", "fault", "--ignore=tests/faults/test_campaign.py")
_PARTS = ("tests/faults/test_audit_catches.py", "-m", "faults or not faults")
_CAMPAIGN = ("tests/faults/test_campaign.py", "-m", "faults")


def main() -> int:
    """Run everything; return 0 when every test passed."""
    parser = ArgumentParser(prog="make faults", formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="most minutes of the campaign")
    parser.add_argument("--per-point", type=int, default=50, help="kills at each failpoint")
    parser.add_argument("--at-any-moment", type=int, default=600, help="kills at random moments")
    parser.add_argument("--seeds", type=int, default=200, help="seeds of the simulation")
    parser.add_argument("--mutant-seeds", type=int, default=24, help="seeds for each seeded bug")
    parser.add_argument("--seed", type=int, default=1, help="seed of the campaign's plan")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-faults-") as directory:
        results = Path(directory) / "results"
        results.touch()
        environment = {
            **os.environ,
            RESULTS: str(results),
            "PYTHONHASHSEED": "0",
            "FAULT_MINUTES": str(chosen.minutes),
            "FAULT_PER_POINT": str(chosen.per_point),
            "FAULT_AT_ANY_MOMENT": str(chosen.at_any_moment),
            "FAULT_SEED": str(chosen.seed),
            "STORM_SEEDS": str(chosen.seeds),
            "MUTANT_SEEDS": str(chosen.mutant_seeds),
        }
        begun = time.monotonic()
        codes = [_pytest(environment, *step) for step in (_SIMULATION, _MATRIX, _PARTS, _CAMPAIGN)]
        minutes = (time.monotonic() - begun) / 60
        _PAGE.write_text(page(read(results.read_text("utf-8")), minutes), "utf-8")
    sys.stdout.write(f"faults: {_PAGE.relative_to(_ROOT)} written\n")
    return max(codes)


def _pytest(environment: dict[str, str], *arguments: str) -> int:
    workers = "2" if arguments != _CAMPAIGN else "0"
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:randomly"]
    return subprocess.run(
        [*command, *arguments], cwd=_ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
