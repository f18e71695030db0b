"""The items: what is measured, how much of it, and which figure it is to reach."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import backlog, floor_runs, gateway_runs, growth, province, subscribers
from bench.figures import Estimate, percentile
from bench.floor import BULK, LETTERS
from bench.latency import latencies
from bench.pairs import alternate, cpu, rate
from bench.processes import resident_bytes
from bench.province import COUNTY_NODE, OTHER_NODE, SCHOOL, SENDER
from bench.report import Line
from gateway.cli.demonstration.nodes import Processes
from gateway.cli.estate import lay_out

_IN_FLIGHT = 64
_MIB = 1024 * 1024
_MOST_MIB = 400
_MOST_MS = 100
_LETTER_RATIO, _BULK_RATIO, _GROWTH_RATIO = 1.8, 2.0, 1.15
_SERVING_SECONDS = 5.0


@dataclass(frozen=True)
class Options:
    """How often, how much, how long."""

    pairs: int
    scale: float
    minutes: float

    def count(self, full: int) -> int:
        """Return a count at the scale asked for."""
        return max(100, int(full * self.scale))


def letter(directory: Path, options: Options) -> Iterator[Line]:
    """Letters end to end beside the floor, then their latency at half the rate."""
    count = options.count(1500)
    with (
        province.running(directory / "gateway") as running,
        gateway_runs.caller(running, SENDER) as client,
        floor_runs.running(directory / "floor", LETTERS) as floor,
    ):
        compared = alternate(
            options.pairs,
            lambda: gateway_runs.letters(running, client, count, _IN_FLIGHT),
            lambda: floor.run(count, _IN_FLIGHT),
        )
        yield Line(
            "letter, Dispatch to committed receipt: CPU beside the floor's",
            f"{compared.ratio}x",
            f"<= {_LETTER_RATIO}x",
            compared.ratio.median <= _LETTER_RATIO,
            f"{cpu(compared.gateway)} ms ({compared.gateway[-1].shares()}) beside "
            f"{cpu(compared.other)} ms ({compared.other[-1].shares()})",
        )
        reached = rate(compared.gateway)
        yield Line("letters a second", f"{reached:.0f}", remark=f"floor {rate(compared.other):.0f}")
        half = reached.median / 2
        took = latencies(running, client, half, 10 * min(1.0, options.scale))
        yield Line(
            "letter, open loop at half that rate: p99 to the committed receipt",
            f"{percentile(took, 0.99):.0f} ms",
            f"< {_MOST_MS} ms",
            percentile(took, 0.99) < _MOST_MS,
            f"p50 {percentile(took, 0.5):.0f} ms at {half:.0f}/s",
        )


def bulk(directory: Path, options: Options) -> Iterator[Line]:
    """Absences in bulk beside the floor."""
    count = options.count(3000)
    with (
        province.running(directory / "gateway") as running,
        gateway_runs.caller(running, SCHOOL) as client,
        floor_runs.running(directory / "floor", BULK) as floor,
    ):
        compared = alternate(
            options.pairs,
            lambda: gateway_runs.absences(running, client, count),
            lambda: floor.run(5 * count, 4),
        )
    yield Line(
        "absence in bulk, stream to committed receipt: CPU beside the floor's",
        f"{compared.ratio}x",
        f"<= {_BULK_RATIO}x",
        compared.ratio.median <= _BULK_RATIO,
        f"{cpu(compared.gateway):.3f} ms ({compared.gateway[-1].shares()}) beside "
        f"{cpu(compared.other):.3f} ms ({compared.other[-1].shares()})",
    )
    yield Line(
        "absences a second",
        f"{rate(compared.gateway):.0f}",
        remark=f"floor {rate(compared.other):.0f}",
    )


def start(directory: Path, options: Options) -> Iterator[Line]:
    """From the start of the process to SERVING, on an empty store and on one that is there."""
    laid = lay_out(directory, province.plan(), datetime.now(UTC))
    one = replace(laid, nodes={COUNTY_NODE: laid.nodes[COUNTY_NODE]})
    callers = {COUNTY_NODE: Path(laid.profiles[str(SENDER)])}
    seconds: list[float] = []
    for _ in range(options.pairs + 1):
        processes = Processes(directory, one, callers)
        began = time.monotonic()
        with processes:
            processes.wait_until_serving()
            seconds.append(time.monotonic() - began)
        (one.nodes[COUNTY_NODE].parent / "state" / "announce.json").unlink()
    yield Line("cold start: node and broker to SERVING", f"{Estimate.of(seconds[1:])} s")
    yield Line("cold start with a new database", f"{seconds[0]:.2f} s")


def memory(directory: Path, options: Options) -> Iterator[Line]:
    """Resident memory of both nodes while letters pass without a pause."""
    samples: dict[str, list[float]] = {COUNTY_NODE: [], OTHER_NODE: []}
    with (
        province.running(directory) as running,
        gateway_runs.caller(running, SENDER) as client,
    ):
        pids = running.pids(COUNTY_NODE, OTHER_NODE)
        until = time.monotonic() + 60 * options.minutes
        while time.monotonic() < until:
            gateway_runs.letters(running, client, options.count(1000), _IN_FLIGHT)
            for node, sizes in samples.items():
                sizes.append(resident_bytes(pids[node]) / _MIB)
    for node, sizes in samples.items():
        later = sizes[len(sizes) // 2 :]
        yield Line(
            f"memory of the node {node} under load",
            f"{max(sizes):.0f} MiB",
            f"< {_MOST_MIB} MB, flat",
            max(sizes) < _MOST_MIB,
            f"{sizes[0]:.0f} at first, {later[0]:.0f} to {later[-1]:.0f} in the second half "
            f"of {options.minutes} min",
        )


def grown(directory: Path, options: Options) -> Iterator[Line]:
    """CPU of a letter on large stores beside that on a small one."""
    for kind, history in (
        ("cases with full history", growth.History(options.count(100_000))),
        ("thin cases", growth.History(options.count(1_000_000), thin=True)),
    ):
        compared = growth.compare(directory / str(history.cases), options.pairs, history)
        yield Line(
            f"growth to {history.cases} {kind}: CPU of a letter beside that on 1000",
            f"{compared.ratio}x",
            f"<= {_GROWTH_RATIO}x",
            compared.ratio.median <= _GROWTH_RATIO,
            f"{cpu(compared.gateway)} ms beside {cpu(compared.other)} ms",
        )


def undelivered(directory: Path, options: Options) -> Iterator[Line]:
    """Start on a store full of undelivered messages, then drain it."""
    count = options.count(100_000)
    serving, drained = backlog.measure(directory, count)
    yield Line(
        f"{count} undelivered messages: serving again after",
        f"{serving:.1f} s",
        f"< {_SERVING_SECONDS:.0f} s",
        serving < _SERVING_SECONDS,
    )
    yield Line("... drained at", f"{count / drained:.0f} messages/s")


def events(directory: Path, options: Options) -> Iterator[Line]:
    """Deliveries to subscribers, signed and durable, beside FastStream's."""
    yield from subscribers.lines(directory, options.count(3000), options.pairs)


ITEMS: Mapping[str, Callable[[Path, Options], Iterator[Line]]] = {
    "letter": letter,
    "bulk": bulk,
    "events": events,
    "start": start,
    "memory": memory,
    "growth": grown,
    "backlog": undelivered,
}
"""Everything that can be measured, by the name it has on the command line."""
