"""`gateway certs`: certificates, keys and configurations for development."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click

from adapters.reference import household_register
from adapters.reference import platform as assistance_platform
from gateway.cli.estate import LaidOut, lay_out
from gateway.cli.estate_plan import (
    PLATFORM,
    POLICE,
    EstatePlan,
    HomePlan,
    NodePlan,
    plan_agency,
    plan_county,
    superior_bureaus,
)
from gateway.cli.node_options import NodeGroup, give_up, show_table
from gateway.crypto.faults import MaterialFault
from gateway.domain.errors import Refusal

AGENCY_NODES = (
    ("psb", POLICE, "public_security", "register.db"),
    ("platform", PLATFORM, "assistance_platform", "platform.db"),
)
"""Node, agency, its adapter, and the file of its reference system."""


@click.group(cls=NodeGroup)
def certs() -> None:
    """Make what a development set-up needs. Everything lies on one disk: not for a province.

    Example:
      gateway certs dev --dir two --county 530102 --county 530627
    """


@certs.command("dev")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where to put everything.",
)
@click.option(
    "--county",
    "counties",
    multiple=True,
    required=True,
    metavar="CODE",
    help="A county, by its six-digit code; give all of them each time.",
)
@click.option(
    "--node",
    "names",
    multiple=True,
    metavar="NAME=CODE",
    help="Name of a county's node, else its code; one name for several counties joins them.",
)
@click.option("--agencies", is_flag=True, help="Add nodes psb and platform with stand-in systems.")
@click.option(
    "--base-port",
    type=click.IntRange(1024, 65_000),
    help="Port of the broker; the nodes follow. Else free ports, chosen once.",
)
@click.option("--force", is_flag=True, help="Make certificates and keys anew. Stores stay.")
def dev(
    directory: Path,
    counties: tuple[str, ...],
    names: tuple[str, ...],
    agencies: bool,
    base_port: int | None,
    force: bool,
) -> None:
    """Make CA, certificates, keys, directory, broker users, node.toml and client profiles.

    A county gets its education bureau, one school and two townships on a node of its own. What
    exists is kept; ports too. The first node starts the broker.

    Example:
      gateway certs dev --dir two --county 530102 --county 530627
      gateway certs dev --dir dev --county 530102 --node wuhua=530102 --agencies --base-port 50050
    """
    now = datetime.now(UTC)
    try:
        nodes = _county_nodes(counties, _names(names, counties), now.date())
        above = superior_bureaus(counties)
    except Refusal as refusal:
        give_up([f"{refusal.message} {refusal.advice}"])
    if agencies:
        nodes += [
            NodePlan(name, (plan_agency(org, adapter, {"url": f"sqlite:///{file}"}),))
            for name, org, adapter, file in AGENCY_NODES
        ]
    if base_port is not None:
        nodes = [
            NodePlan(node.name, node.homes, port)
            for port, node in enumerate(nodes, start=base_port + 1)
        ]
    try:
        plan = EstatePlan(tuple(nodes), above, broker_port=base_port)
        made = lay_out(directory, plan, now, force=force)
    except (MaterialFault, OSError, ValueError) as fault:
        give_up([fault])
    if agencies:
        household_register.create(f"sqlite:///{made.nodes['psb'].with_name('register.db')}")
        assistance_platform.create(f"sqlite:///{made.nodes['platform'].with_name('platform.db')}")
    _show(nodes, made)


def _names(given: Sequence[str], counties: Sequence[str]) -> dict[str, str]:
    """Return the node of each county."""
    chosen = {county: county for county in counties}
    for text in given:
        name, equals, county = text.partition("=")
        if not equals or county not in chosen:
            raise click.BadParameter(
                f"{text}: write NAME=CODE with a county that is given by --county.",
                param_hint="--node",
            )
        chosen[county] = name
    return chosen


def _county_nodes(counties: Sequence[str], names: dict[str, str], today: date) -> list[NodePlan]:
    homes: dict[str, tuple[HomePlan, ...]] = {}
    for county in dict.fromkeys(counties):
        name = names[county]
        homes[name] = (*homes.get(name, ()), *plan_county(county, today))
    return [NodePlan(name, organisations) for name, organisations in homes.items()]


def _show(nodes: Sequence[NodePlan], made: LaidOut) -> None:
    rows = [
        [node.name, made.addresses[node.name], str(home.organisation.id), home.organisation.name]
        for node in nodes
        for home in node.homes
    ]
    show_table(["node", "listens on", "organisation", "name"], rows)
    click.echo("\nStart the nodes, the first one first (it starts the broker):")
    for path in made.nodes.values():
        click.echo(f"  gateway serve --config {path}")
    click.echo("Then act as an organisation, for example:")
    click.echo(f"  gateway --profile {next(iter(made.profiles.values()))} todo")
