"""`gateway doctor`: what ails a node, whether it runs or not, and what to do about it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.doctor_checks import examine
from gateway.cli.doctor_words import HEADINGS, PARTS_ZH, advice, sentence
from gateway.cli.node_options import NodeCommand, config_option, give_up, read_config, show_table
from gateway.cli.options import CallOptions
from gateway.cli.words import Language
from gateway.ports.condition import Finding, Severity


@click.command(cls=NodeCommand)
@config_option
@click.option(
    "--profile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also ask the running node, as the organisation of this profile.",
)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of the table.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    config_file: Path,
    profile: Path | None,
    lang: Language | None,
    as_json: bool,
) -> None:
    """Look at settings, keys, directory, store, broker, clock, lanes and the running node.

    It changes nothing and works whether the node runs or not. Exit code 0 when nothing fails, 1
    when something does, 2 when the settings cannot be read.

    Example:
      gateway doctor --config two/nodes/530102/node.toml
    """
    options: CallOptions = ctx.obj
    options = options.overlaid({"profile": profile, "lang": lang})
    findings = examine(read_config(config_file), config_file, options, datetime.now(UTC))
    failed = any(finding.severity is Severity.FAIL for finding in findings)
    if as_json or options.json:
        shown = [_record(finding, options.lang) for finding in findings]
        click.echo(json.dumps({"good": not failed, "findings": shown}, ensure_ascii=False))
    else:
        show_table(HEADINGS[options.lang], [_row(finding, options.lang) for finding in findings])
    if failed:
        give_up(())


def _record(finding: Finding, language: Language) -> dict[str, object]:
    return {
        "part": finding.part,
        "state": finding.severity,
        "code": finding.code,
        "sentence": sentence(finding, language),
        "advice": advice(finding, language),
        "facts": dict(finding.facts),
    }


def _row(finding: Finding, language: Language) -> list[str]:
    part = PARTS_ZH[finding.part] if language == "zh" else finding.part
    return [
        finding.severity,
        part,
        finding.code,
        sentence(finding, language),
        advice(finding, language),
    ]
