"""The figures of the benchmark."""

import pytest

from bench.figures import Estimate, Run, percentile


def test_a_run_is_counted_by_operation() -> None:
    """CPU of all processes together, and operations by the wall clock."""
    run = Run(1000, {"client": 0.5, "node": 1.5}, 4.0)
    assert run.cpu_ms == pytest.approx(2.0)
    assert run.rate == pytest.approx(250.0)
    assert run.shares() == "client 0.50, node 1.50"


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 1, 1), (5, 1, 5), (7, 1, 7), (9, 2, 8), (20, 6, 15)],
)
def test_the_interval_of_a_median_is_between_order_statistics(
    count: int, low: int, high: int
) -> None:
    """As tables of the sign test have it for 95 %; the whole range where there are too few."""
    estimate = Estimate.of(range(1, count + 1))
    assert (estimate.low, estimate.high) == (low, high)


def test_percentiles() -> None:
    """The value below which that share lies."""
    assert percentile(range(100), 0.99) == 99
    assert percentile([], 0.5) == 0
