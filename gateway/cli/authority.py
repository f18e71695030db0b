"""`gateway authority`: what only the directory's authority does, where its private key lies."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.node_options import NodeGroup, give_up
from gateway.crypto.authority import end_entitlements, grant_entitlement
from gateway.crypto.faults import MaterialFault
from gateway.crypto.keyring import read_private_key
from gateway.domain.entitlements import PUBLISHED, Entitlement
from gateway.domain.errors import Refusal
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId

F = TypeVar("F", bound=Callable[..., Any])
KINDS = [kind.name for kind in PUBLISHED]


def _files(function: F) -> F:
    """Add the directory and the authority's key."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for name, text in (
        ("--key", "The authority's private key, PEM."),
        ("--directory", "The signed directory; the next edition takes its place."),
    ):
        function = click.option(name, type=file, required=True, help=text)(function)
    return function


@click.group(cls=NodeGroup)
def authority() -> None:
    """Enter and end entitlements in the signed directory.

    Example:
      gateway authority end 53/sup --directory directory.bin --key authority.key.pem
    """


@authority.command("entitle")
@click.argument("organisation")
@click.option("--division", required=True, help="Facts from this division and below.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS, case_sensitive=False),
    multiple=True,
    required=True,
    help="Kind of facts; repeat.",
)
@click.option("--purpose", required=True, help="The duty it serves, with its article.")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True)
@_files
def entitle(
    organisation: str,
    division: str,
    kinds: tuple[str, ...],
    purpose: str,
    days: int,
    directory: Path,
    key: Path,
) -> None:
    """Let an organisation follow facts of others, from now on.

    Example:
      gateway authority entitle 53/sup --division 5306 --kind TITLE_GRANTED --purpose "art. 13"
        --directory directory.bin --key authority.key.pem
    """
    now = datetime.now(UTC)
    try:
        right = Entitlement(
            OrgId.parse(organisation),
            division,
            frozenset(FactKind[kind.upper()] for kind in kinds),
            now,
            now + timedelta(days=days),
            purpose,
        )
        edition = grant_entitlement(directory, read_private_key(key), right, now=now)
    except (MaterialFault, Refusal) as fault:
        give_up([fault])
    click.echo(f"entered in version {edition.version}")


@authority.command("end")
@click.argument("organisation")
@_files
def end(organisation: str, directory: Path, key: Path) -> None:
    """End every entitlement of an organisation now.

    Example:
      gateway authority end 53/sup --directory directory.bin --key authority.key.pem
    """
    try:
        edition = end_entitlements(
            directory, read_private_key(key), OrgId.parse(organisation), now=datetime.now(UTC)
        )
    except (MaterialFault, Refusal) as fault:
        give_up([fault])
    click.echo(f"ended in version {edition.version}")
