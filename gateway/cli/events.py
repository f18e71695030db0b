"""`gateway events`: the signed events of your organisation's log, and those who follow it."""

import click

from gateway.cli.child import json_object, parsed
from gateway.cli.client_command import ClientGroup, Desk, acts
from gateway.cli.event_stream import acknowledge, notices, pages, show_event, show_notice
from gateway.cli.parameters import EnumChoice, limit_option, read_text
from gateway.cli.refusals import REFUSED
from gateway.v1 import event_pb2 as v1
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.fact_pb2 import ReplayFactsRequest


@click.group(cls=ClientGroup)
def events() -> None:
    """Signed events: follow them, read one, verify it; subscribers and what they set aside.

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

    Without a filter it is proved, page by page, that nothing was left out.

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


@events.command("subscribers")
@limit_option
@click.pass_obj
def subscribers(desk: Desk, limit: int) -> None:
    """List the named subscribers of the log, and how far behind each is.

    Example:
      gateway events subscribers
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListSubscribersRequest(page_size=size, page_token=token), v1.ListSubscribersResponse
        ),
        lambda page: page.subscribers,
        ("subscriber", "position", "lag", "rejected_count", "seen_at"),
        limit,
    )


@events.command("reject")
@click.argument("subscriber")
@click.argument("event_id")
@click.argument("reason_code")
@acts("CASE_OFFICER")
@click.pass_obj
def reject(desk: Desk, subscriber: str, event_id: str, reason_code: str) -> None:
    """Set an event aside that a subscriber cannot process. The reason is a code, never text.

    Example:
      gateway events reject ledger EVENT_ID NO_MAPPING
    """
    desk.show(
        v1.RejectEventRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subscriber=subscriber,
            event_id=event_id,
            reason_code=reason_code,
        ),
        v1.RejectEventResponse,
    )


@events.command("rejected")
@click.argument("subscriber")
@limit_option
@click.pass_obj
def rejected(desk: Desk, subscriber: str, limit: int) -> None:
    """List what a subscriber has set aside and not dealt with since.

    Example:
      gateway events rejected ledger
    """
    desk.show_list(
        lambda size, token: desk.call(
            v1.ListRejectedEventsRequest(subscriber=subscriber, page_size=size, page_token=token),
            v1.ListRejectedEventsResponse,
        ),
        lambda page: page.rejected_events,
        ("event_id", "position", "type", "reason_code", "times", "rejected_at"),
        limit,
    )


@events.command("redeliver")
@click.argument("subscriber")
@click.argument("event_id")
@acts("CASE_OFFICER")
@click.pass_obj
def redeliver(desk: Desk, subscriber: str, event_id: str) -> None:
    """Put an event that was set aside before the subscriber again.

    Example:
      gateway events redeliver ledger EVENT_ID
    """
    desk.show(
        v1.RedeliverEventRequest(
            request_id=desk.request_id,
            actor_post=desk.actor_post,
            subscriber=subscriber,
            event_id=event_id,
        ),
        v1.RedeliverEventResponse,
    )


@events.command("facts")
@click.argument("source")
@click.argument("kind", type=EnumChoice(v1.EventType))
@click.option("--after", type=click.IntRange(min=0), default=0, help="Start after this number.")
@click.option(
    "--incarnation",
    type=click.IntRange(min=0),
    default=0,
    help="Of the chain in which that number was; one that began anew since is given whole.",
)
@click.option("--follow", "-f", is_flag=True, help="Wait for more; end with Ctrl-C.")
@click.pass_obj
def facts(
    desk: Desk,
    source: str,
    kind: v1.EventType.ValueType,
    after: int,
    incarnation: int,
    follow: bool,
) -> None:
    """Show facts that another organisation publishes; you must be entitled to them.

    Ask the node that is home to the source. It is proved that none is missing after the first.

    Example:
      gateway events facts 530627/edu TITLE_GRANTED
    """
    request = ReplayFactsRequest(
        source=source, type=kind, after_sequence=after, incarnation=incarnation, follow=follow
    )
    try:
        for notice in notices(desk, request):
            show_notice(desk.screen, notice)
    except KeyboardInterrupt:
        return
