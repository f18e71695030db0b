"""`gateway config`: check, show and begin a node's settings."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from pydantic import BaseModel
from sqlalchemy.engine import make_url

from gateway.bus.node_keys import public_nkey
from gateway.bus.permissions import (
    BrokerUser,
    permissions_of,
    permissions_of_follower,
    user_entry,
)
from gateway.cli.config_checks import check as check_everything
from gateway.cli.config_example import example_toml
from gateway.cli.node_options import NodeGroup, config_argument, give_up, read_config, show_table
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.faults import MaterialFault
from gateway.domain.errors import Refusal
from gateway.domain.organisations import OrgId

HIDDEN: Final = "(not shown)"


@click.group(cls=NodeGroup)
def config() -> None:
    """Check a node's settings, show what is in force, print an example.

    Each setting has a twin in the environment: GATEWAY__STORE__URL is url under [store].

    Example:
      gateway config check node.toml
    """


@config.command("check")
@config_argument
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
def check(config_file: Path, as_json: bool) -> None:
    """Say everything that is wrong with the settings and with what they name, or "good".

    Exit code 0 when good, 1 when something they name is not, 2 when they cannot be read.

    Example:
      gateway config check node.toml
    """
    findings = check_everything(read_config(config_file), datetime.now(UTC))
    wrong = [finding for finding in findings if not finding.good]
    if as_json:
        shown = [{"subject": f.subject, "good": f.good, "text": f.text} for f in findings]
        click.echo(json.dumps({"good": not wrong, "findings": shown}, ensure_ascii=False))
    else:
        show_table(
            ["", "what", "found"],
            [["ok" if f.good else "WRONG", f.subject, f.text] for f in findings],
        )
        if not wrong:
            click.echo("good")
    if wrong:
        give_up(() if as_json else [f"{len(wrong)} of {len(findings)} checks failed."])


@config.command("show")
@config_argument
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
def show(config_file: Path, as_json: bool) -> None:
    """Show the settings in force, environment included, without secrets.

    Example:
      gateway config show node.toml
    """
    settings = read_config(config_file)
    shown = settings.model_dump(mode="json")
    shown["store"]["url"] = make_url(settings.store.url).render_as_string(hide_password=True)
    for home in shown["organisations"]:
        # Only the adapter knows which of its settings are secret.
        home["settings"] = dict.fromkeys(home["settings"], HIDDEN)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for line in _lines(settings, shown):
        click.echo(line)


@config.command("broker-user")
@config_argument
def broker_user(config_file: Path) -> None:
    """Print this node as a user of a NATS server: its public nkey and what it may do.

    Goes into the list `users` of the server's configuration (deploy/nats-users.conf).

    Example:
      gateway config broker-user node.toml
    """
    settings = read_config(config_file)
    try:
        nkey = public_nkey(settings.bus.nkey_seed.read_text("ascii"))
    except (OSError, ValueError) as fault:
        give_up([fault])
    at_home = [OrgId.parse(home.organisation) for home in settings.organisations]
    allowed = permissions_of(settings.node.name, at_home, settings.bus.domain or "")
    click.echo(json.dumps(user_entry(BrokerUser(nkey, allowed)), indent=2))


@config.command("follower")
@config_argument
@click.argument("organisation")
@click.argument("nkey")
def follower(config_file: Path, organisation: str, nkey: str) -> None:
    """Print an organisation that follows facts as a user of a NATS server, by its public nkey.

    What it may do is what the directory entitles it to now; print it again when that changes. The
    bundled broker needs only the table [[bus.bundled.followers]].

    Example:
      gateway config follower node.toml 53/sup UABC...
    """
    settings = read_config(config_file)
    try:
        pinned = settings.directory.authority.read_bytes()
        entitlements = SignedDirectory(settings.directory.file, pinned).entitlements()
        followed_by = OrgId.parse(organisation)
    except (OSError, MaterialFault, Refusal) as fault:
        give_up([fault])
    now = datetime.now(UTC)
    in_force = [one for one in entitlements if one.holds(now)]
    allowed = permissions_of_follower(followed_by, in_force)
    click.echo(json.dumps(user_entry(BrokerUser(nkey, allowed)), indent=2))


@config.command("example")
def example() -> None:
    """Print a commented example to begin with.

    Example:
      gateway config example > node.toml
    """
    click.echo(example_toml(), nl=False)


def _lines(section: BaseModel, shown: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield `place = value`, in the order of the sections."""
    for name, value in shown.items():
        place = f"{path}.{name}" if path else name
        held = getattr(section, name)
        if isinstance(held, BaseModel):
            yield from _lines(held, value, place)
        elif isinstance(held, tuple) and held and isinstance(held[0], BaseModel):
            for number, (inner, one) in enumerate(zip(held, value, strict=True), start=1):
                yield from _lines(inner, one, f"{place}[{number}]")
        elif value is not None:
            yield f"{place} = {json.dumps(value, ensure_ascii=False)}"
