"""`gateway events`: the signed events of your organisation's log."""

import click

from gateway.cli.child import json_object, parsed
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.event_stream import acknowledge, pages, show_event
from gateway.cli.parameters import EnumChoice, read_text
from gateway.cli.refusals import REFUSED
from gateway.v1 import event_pb2 as v1
from gateway.v1.envelope_pb2 import SignedEnvelope


@click.group(cls=ClientGroup)
def events() -> None:
    """Signed events: follow them, read one, verify it.

    Example:
      gateway events tail --follow
    """


@events.command("tail")
@click.option("--after", "position", type=click.IntRange(min=0), help="Start after this position.")
@click.option("--subscriber", default="", help="Resume where this subscriber acknowledged.")
@click.option("--ack", is_flag=True, help="Acknowledge each page for the subscriber.")
@click.option("--type", "types", type=EnumChoice(v1.EventType), multiple=True, help="Repeat.")
@click.option("--case", "case_id", default="", help="Only events of this case.")
@click.option("--source", default="", help="Only events of this organisation.")
@click.option("--follow", "-f", is_flag=True, help="Wait for more; end with Ctrl-C.")
@acts("CASE_OFFICER", once=False)
@click.pass_obj
def tail(
    desk: Desk,
    position: int | None,
    subscriber: str,
    ack: bool,
    types: tuple[v1.EventType.ValueType, ...],
    case_id: str,
    source: str,
    follow: bool,
) -> None:
    """Show events in the order of the log, from the beginning unless told otherwise.

    Example:
      gateway events tail --subscriber ledger --ack --follow --json
      gateway events tail --type STUDENT_RETURNED --after 120
    """
    if ack and not subscriber:
        raise click.UsageError("--ack needs --subscriber.")
    request = v1.SubscribeRequest(
        subscriber=subscriber,
        after_position=position,
        filter=v1.EventFilter(types=types, case_id=case_id, source=source),
        stop_at_end=not follow,
    )
    try:
        for page in pages(desk, request):
            for logged in page.events:
                show_event(desk.screen, logged)
            if ack:
                acknowledge(desk, subscriber, page.position)
    except KeyboardInterrupt:
        return


@events.command("show")
@click.argument("event_id")
@click.pass_obj
def show(desk: Desk, event_id: str) -> None:
    """Show one event; with --json its signed bytes too.

    Example:
      gateway events show EVENT_ID --json > event.json
    """
    desk.show(v1.GetEventRequest(event_id=event_id), v1.GetEventResponse)


@events.command("verify")
@click.argument("event_id", required=False)
@click.option("--file", help="What `events show --json` wrote; - for standard input.")
@click.pass_obj
def verify(desk: Desk, event_id: str | None, file: str | None) -> None:
    """Verify an event of the log, or one brought along, step by step. Exit code 1 if it fails.

    Example:
      gateway events verify EVENT_ID
      gateway events verify --file event.json
    """
    if (event_id is None) == (file is None):
        raise click.UsageError("Name an event, or bring one with --file.")
    if file is not None:
        record = json_object(read_text(file), file)
        envelope = parsed(record.get("envelope", record), SignedEnvelope(), file)
        request = v1.VerifyEventRequest(envelope=envelope)
    else:
        request = v1.VerifyEventRequest(event_id=event_id or "")
    answer = desk.call(request, v1.VerifyEventResponse)
    desk.screen.answer(answer)
    desk.screen.note("verified" if answer.verified else "unverified")
    if not answer.verified:
        click.get_current_context().exit(REFUSED)


@events.command("ack")
@click.argument("subscriber")
@click.argument("position", type=click.IntRange(min=0))
@acts("CASE_OFFICER")
@click.pass_obj
def ack(desk: Desk, subscriber: str, position: int) -> None:
    """Store how far a subscriber has got; a later tail resumes there.

    Example:
      gateway events ack ledger 240
    """
    desk.show(
        v1.AckEventsRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subscriber=subscriber,
            position=position,
        ),
        v1.AckEventsResponse,
    )
