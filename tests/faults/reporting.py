"""What the fault tests report: which row, what was injected how often, what became of it.

A test of a row of the fault matrix carries `@pytest.mark.fault("K1")` and asks for the fixture
`fault_report`. A test that passed without a single injection is failed: it would prove nothing.
`make faults` names a file in FAULT_RESULTS; each test adds one line of JSON to it.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.findings import Findings

RESULTS = "FAULT_RESULTS"
_OUTCOME = pytest.StashKey[tuple[str, str]]()


@dataclass
class FaultReport:
    """What one test did and saw; the rows come from its marker."""

    rows: tuple[str, ...]
    injected: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    healed: list[float] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def inject(self, fault: str, times: int = 1) -> None:
        """Count faults that have really happened, in a few words: `kill -9 at MAIL_AFTER_REPLY`."""
        self.injected[fault] += times

    def require(self, findings: Findings) -> None:
        """Count what an audit found, and fail when it found anything."""
        self.lost += findings.lost
        self.doubled += findings.doubled
        assert not findings.found, findings

    def remark(self, text: str) -> None:
        """Say something of this run that belongs into the table."""
        self.remarks.append(text)

    @contextmanager
    def healing(self) -> Iterator[None]:
        """Measure how long it takes until everything is in order again."""
        begun = time.monotonic()
        yield
        self.healed.append(time.monotonic() - begun)

    def line(self, test: str, outcome: str, why: str) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(
            {
                "rows": self.rows,
                "test": test,
                "outcome": outcome,
                "why": why,
                "injected": self.injected,
                "lost": self.lost,
                "doubled": self.doubled,
                "healed": self.healed,
                "remarks": self.remarks,
            }
        )


def rows_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the rows of the matrix that a test is about."""
    return tuple(row for mark in item.iter_markers("fault") for row in mark.args)


@pytest.fixture
def fault_report(request: pytest.FixtureRequest) -> Iterator[FaultReport]:
    """Where a test says what it injected. One that passed and injected nothing is failed."""
    report = FaultReport(rows_of(request.node))
    yield report
    outcome, why = request.node.stash.get(_OUTCOME, ("failed", ""))
    add_line(report.line(request.node.name, outcome, why))
    if outcome == "passed":
        assert report.rows, "the test names no row of the fault matrix"
        assert report.injected.total(), "no fault was injected, so nothing was proved"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the outcome for the fixture, and note a row whose test could not run at all."""
    report = yield
    why = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if report.when == "call":
        item.stash[_OUTCOME] = (report.outcome, why)
    elif report.when == "setup" and not report.passed and rows_of(item):
        add_line(FaultReport(rows_of(item)).line(item.name, report.outcome, why))
    elif report.when == "teardown" and rows_of(item) and not _reports(item):
        # The bad input is the fault, and the test's own assertion proves that it was seen.
        outcome, why = item.stash.get(_OUTCOME, ("", ""))
        if outcome:
            counted = FaultReport(rows_of(item), Counter({"bad input": outcome == "passed"}))
            add_line(counted.line(item.name, outcome, why))
    return report


def _reports(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "fault_report" in item.fixturenames


def add_line(line: str) -> None:
    """Add a line to the results, when somebody collects them. Several processes may do so."""
    if path := os.environ.get(RESULTS):
        with Path(path).open("a") as file:
            file.write(line + "\n")
