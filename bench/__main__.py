"""`make bench`: measures the items named, or all of them, and writes docs/benchmarks.md."""

import tempfile
from pathlib import Path

import click

from bench import items
from bench.processes import machine
from bench.report import Line, table, write_page


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(items.ITEMS)))
@click.option("--pairs", default=7, show_default=True, help="Runs of gateway and floor each.")
@click.option("--scale", default=1.0, show_default=True, help="Multiplies every count.")
@click.option("--minutes", default=0.5, show_default=True, help="How long memory is watched.")
@click.option("--write/--no-write", default=None, help="Write docs/benchmarks.md (when all ran).")
def main(
    names: tuple[str, ...], pairs: int, scale: float, minutes: float, write: bool | None
) -> None:
    """Measure NAMES (all when none is given) and print a table."""
    options = items.Options(pairs, scale, minutes)
    lines: list[Line] = []
    for name in names or items.ITEMS:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            for line in items.ITEMS[name](Path(directory), options):
                click.echo("  ".join(cell for cell in line.cells() if cell))
                lines.append(line)
    click.echo(f"\n{machine()}\n\n{table(lines)}")
    if write or (write is None and not names):
        click.echo(f"written: {write_page(lines, machine()).name}")


if __name__ == "__main__":
    main()
