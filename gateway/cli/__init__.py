"""The command line `gateway`, one module per command.

Here: the client commands (a gRPC client like any other), the commands that run a node, and what
the screen shows. Not here: any rule of the procedure. This module imports click and nothing else.
"""

import click

from gateway.cli.lazy_group import Lazy, LazyGroup
from gateway.cli.options import CallOptions, root_options

OFFICE = {
    "todo": Lazy("gateway.cli.todo:todo", "What your organisation must do next, and since when."),
    "absence": Lazy(
        "gateway.cli.absence:absence", "Report and read absences of three days (art. 7)."
    ),
    "case": Lazy("gateway.cli.case:case", "Dropout cases: submit, confirm, determine, return."),
    "subject": Lazy("gateway.cli.subject:subject", "Children: tokens and masked identity."),
    "jurisdiction": Lazy("gateway.cli.jurisdiction:jurisdiction", "Who is responsible (art. 8)."),
    "letter": Lazy("gateway.cli.letter:letter", "Letters 函 between education bureaus."),
    "order": Lazy("gateway.cli.order:order", "Retrieval orders 劝返指令 and the four steps."),
    "placement": Lazy("gateway.cli.placement:placement", "Placement of a child that comes back."),
    "agency": Lazy("gateway.cli.agency:agency", "What was asked of an agency, and its answers."),
    "dead-letters": Lazy(
        "gateway.cli.dead_letters:dead_letters", "Mail that did not take effect (operator)."
    ),
    "reconcile": Lazy("gateway.cli.reconcile:reconcile", "Whether every lane adds up (operator)."),
    "recovery": Lazy(
        "gateway.cli.recovery:recovery", "After a restored backup: who is waited for."
    ),
    "events": Lazy("gateway.cli.events:events", "Signed events: follow, read, verify."),
    "division": Lazy("gateway.cli.division:division", "Division codes and what followed them."),
    "directory": Lazy("gateway.cli.directory:directory", "Organisations, posts and public keys."),
    "entitlements": Lazy("gateway.cli.entitlements:entitlements", "Who may follow whose facts."),
}

NODE = {
    "demo": Lazy("gateway.cli.demo:demo", "Run one child's case across the county line."),
    "serve": Lazy("gateway.cli.serve:serve", "Run a node."),
    "authority": Lazy("gateway.cli.authority:authority", "Enter and end entitlements (authority)."),
    "certs": Lazy("gateway.cli.certs:certs", "Certificates and keys for development."),
    "doctor": Lazy("gateway.cli.doctor:doctor", "Say what ails a node, and what to do about it."),
    "config": Lazy("gateway.cli.config:config", "Check a node's configuration."),
    "db": Lazy("gateway.cli.db:db", "Migrate the store and show its state."),
    "backup": Lazy("gateway.cli.backup:backup", "Copy a node's store while it runs."),
    "restore": Lazy("gateway.cli.restore:restore", "Put a backup in the place of a store."),
}


@click.group(
    cls=LazyGroup,
    sections={"Office commands (client)": OFFICE, "Node commands": NODE},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@root_options
@click.version_option(package_name="dropout-gateway", prog_name="gateway")
@click.pass_context
def main(ctx: click.Context, /, **given: object) -> None:
    """Carry dropout cases (控辍保学) between education bureaus and the agencies around them.

    The options below say which gateway to ask and as whom; they may also stand after a client
    command, and each has its twin in the environment. Exit code: 0 done, 1 refused, 2 wrong usage,
    3 no answer.

    Example:
      export GATEWAY_PROFILE=two/clients/530102_edu.toml
      gateway todo
      gateway case list --json
    """
    ctx.obj = CallOptions.read(ctx, given)
