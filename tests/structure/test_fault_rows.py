"""Every row of the fault matrix is tried by somebody."""

from pathlib import Path

import pytest

from tests.faults import results

TESTS = Path(__file__).resolve().parents[1]
SOURCES = "".join(
    path.read_text("utf-8")
    for path in TESTS.rglob("*.py")
    if "fault" in path.read_text("utf-8") and path.name != "results.py"
)


@pytest.mark.parametrize("row", results.ROWS)
def test_row_has_a_test(row: str) -> None:
    """A row that nobody is marked with would stand as "not run" in the results."""
    assert f'"{row}"' in SOURCES
