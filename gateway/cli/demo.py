"""`gateway demo`: a child's case across the county line, on four nodes of this machine."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from gateway.bus.server import BrokerFailed
from gateway.cli.demonstration.closing import Outcome
from gateway.cli.demonstration.faults import DemoFault
from gateway.cli.demonstration.lines import Said
from gateway.cli.demonstration.performance import Seconds, perform
from gateway.cli.demonstration.timeline import Timeline
from gateway.cli.lazy_group import keep_examples
from gateway.cli.options import CallOptions
from gateway.cli.words import Language
from gateway.crypto.faults import MaterialFault

_FAULTS = (DemoFault, BrokerFailed, MaterialFault, OSError)
_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


@click.command(
    help=keep_examples(
        """Run three children's cases through four real nodes on this machine, and show each step.

        五华区 (530102), 镇雄县 (530627), public security and the assistance platform each run as
        a node of their own, with own store, keys, certificate and broker user, on free loopback
        ports. The children are invented. Exit code 0 only if every step and every signature held;
        else 1, and the directory with its logs is kept.

        Example:
          gateway demo
          gateway demo --dir estate --keep --lang zh
          gateway demo --json
        """
    )
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to make the estate: a new or empty directory. Else a temporary one.",
)
@click.option("--keep", is_flag=True, help="Keep the directory; it is removed otherwise.")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of the sentences.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, a summary last.")
@click.pass_obj
def demo(
    options: CallOptions, directory: Path | None, keep: bool, lang: Language | None, as_json: bool
) -> None:
    """Run the demonstration."""
    timeline = Timeline(lang or options.lang, as_json=as_json or options.json)
    place = _place(directory)
    timeline.say(Said(f"State is in {place}", f"数据目录:{place}"))
    try:
        with _termination_as_exit():
            outcome, seconds = perform(place, timeline)
    except _FAULTS as fault:
        _show_failure(timeline, place, str(fault))
        sys.exit(1)
    except KeyboardInterrupt:
        _show_failure(timeline, place, "It was interrupted.")
        sys.exit(_INTERRUPTED)
    if not keep:
        shutil.rmtree(place)
    _show_outcome(timeline, outcome, seconds, place, keep=keep)


def _place(directory: Path | None) -> Path:
    """Return the directory to work in, which is empty. Raises click.UsageError."""
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise click.UsageError(f"{directory} is not empty; name a new or empty directory.")
    except OSError as error:
        raise click.UsageError(f"Cannot use {directory}: {error.strerror}.") from None
    return directory.resolve()


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Let SIGTERM end the command as an exception does, so that all it started is stopped."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        sys.exit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show_failure(timeline: Timeline, place: Path, message: str) -> None:
    if timeline.as_json:
        timeline.record(
            {
                "kind": "summary",
                "ok": False,
                "steps": timeline.steps,
                "message": message,
                "directory": str(place),
                "logs": str(place / "logs"),
            }
        )
        return
    zh = timeline.language == "zh"
    after = f"第 {timeline.steps} 步之后" if zh else f"after step {timeline.steps}"
    click.echo(
        f"✗ {'演示未通过' if zh else 'The demonstration failed'}, {after}: {message}", err=True
    )
    click.echo(f"  {'日志' if zh else 'Logs'}: {place / 'logs'}", err=True)


def _show_outcome(
    timeline: Timeline, outcome: Outcome, seconds: Seconds, place: Path, *, keep: bool
) -> None:
    if timeline.as_json:
        timeline.record(
            {
                "kind": "summary",
                "ok": True,
                "steps": timeline.steps,
                **outcome.as_json(),
                "seconds": {
                    "start": round(seconds.start, 2),
                    "story": round(seconds.story, 2),
                    "total": round(seconds.total, 2),
                },
                "directory": str(place),
                "kept": keep,
            }
        )
        return
    timeline.summary(outcome.rows(timeline.language))
    en = (
        f"✓ {timeline.steps} steps, all held, in {seconds.total:.1f} s "
        f"(start {seconds.start:.1f} s, story {seconds.story:.1f} s). "
    )
    zh = (
        f"✓ 共 {timeline.steps} 步,全部通过,用时 {seconds.total:.1f} 秒"
        f"(启动 {seconds.start:.1f} 秒,业务 {seconds.story:.1f} 秒)。"
    )
    kept = Said(f"State kept in {place}.", f"数据保留在 {place}。")
    gone = Said("State removed; --keep keeps it.", "数据已清除;加 --keep 可保留。")
    end = kept if keep else gone
    timeline.say(Said(en + end.en, zh + end.zh), "bold green")
