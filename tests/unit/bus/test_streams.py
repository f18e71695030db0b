"""The mail stream as data, and what makes a stream unsafe."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import nats.errors
import pytest
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    PersistMode,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamConsumerLimits,
    StreamInfo,
    StreamSource,
)

from gateway.bus.streams import (
    MAX_ITEM_BYTES,
    StreamLimits,
    StreamState,
    mail_stream,
    stream_info,
    unsafe_fields,
)

LIMITS = StreamLimits(replicas=3)
THEN = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_own_configuration_is_safe() -> None:
    """What a node creates passes its own check, also after the server filled in its defaults."""
    config = mail_stream(LIMITS)
    assert unsafe_fields(config, LIMITS) == ()
    told = {**config.as_dict(), "metadata": {"_nats.level": "5"}, "consumer_limits": {}}
    assert unsafe_fields(StreamConfig.from_response(told), LIMITS) == ()


def test_the_stream_has_explicit_bounds_and_keeps_what_it_took() -> None:
    """Work queue on files, full means refused, nothing expires, nobody deletes or purges."""
    config = mail_stream(LIMITS)
    assert config.retention is RetentionPolicy.WORK_QUEUE
    assert config.storage is StorageType.FILE
    assert config.discard is DiscardPolicy.NEW
    assert config.max_age == 0
    assert config.persist_mode is None
    assert config.deny_delete
    assert config.deny_purge
    assert config.num_replicas == 3
    assert config.discard_new_per_subject
    for bound in (
        config.max_bytes,
        config.max_msgs,
        config.max_msg_size,
        config.max_msgs_per_subject,
    ):
        assert bound is not None
        assert bound > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subjects", ["dx.v1.mail.53.>"]),
        ("retention", RetentionPolicy.LIMITS),
        ("storage", StorageType.MEMORY),
        ("discard", DiscardPolicy.OLD),
        ("max_age", 3600.0),
        ("persist_mode", PersistMode.ASYNC),
        ("deny_delete", False),
        ("deny_purge", False),
        ("allow_atomic", False),
        ("no_ack", True),
        ("sealed", True),
        ("republish", RePublish(src=">", dest="_INBOX_thief.>")),
        ("mirror", StreamSource(name="OTHER")),
        ("sources", [StreamSource(name="OTHER")]),
        ("allow_rollup_hdrs", True),
        ("allow_msg_ttl", True),
        ("max_msgs_per_subject", 1),
        ("max_msgs_per_subject", -1),
        ("discard_new_per_subject", False),
        ("max_msg_size", MAX_ITEM_BYTES),
        ("max_consumers", 1),
        ("num_replicas", 1),
        ("consumer_limits", StreamConsumerLimits(inactive_threshold=60)),
    ],
)
def test_each_unsafe_setting_is_named(field: str, value: Any) -> None:
    """A stream that loses, copies or refuses mail is told by the setting that does it."""
    assert unsafe_fields(replace(mail_stream(LIMITS), **{field: value}), LIMITS) == (field,)


def test_an_operator_may_give_more_room() -> None:
    """Larger limits and more replicas are no danger."""
    larger = replace(mail_stream(LIMITS), max_bytes=10**12, max_msgs=-1, num_replicas=5)
    assert unsafe_fields(larger, LIMITS) == ()


def test_a_stream_that_went_back_or_was_made_anew_has_lost_mail() -> None:
    """Regression is a smaller sequence or another creation time; growth is neither."""
    before = StreamState(THEN, 10)
    assert not StreamState(THEN, 10).lost_since(before)
    assert not StreamState(THEN, 11).lost_since(before)
    assert StreamState(THEN, 9).lost_since(before)
    assert StreamState(THEN + timedelta(seconds=1), 99).lost_since(before)


@pytest.mark.parametrize(
    ("replicas", "cluster", "believed"),
    [
        (1, None, True),
        (1, {"leader": "one"}, True),
        (3, {"leader": "one", "leader_since": "2026-03-02T00:00:00Z"}, True),
        (3, {"leader": "one"}, False),
        (3, {"name": "gateway"}, False),
        (3, None, False),
    ],
)
async def test_only_the_leader_is_believed(
    replicas: int, cluster: dict[str, object] | None, believed: bool
) -> None:
    """In a cluster another server may answer for the leader, as if the stream were empty."""

    class Asked:
        async def stream_info(self, name: str, _subject: str | None) -> StreamInfo:
            info: StreamInfo = StreamInfo.from_response(
                {
                    "config": mail_stream(StreamLimits(replicas)).as_dict(),
                    "created": "2026-03-02T00:00:00Z",
                    "state": {"messages": 0, "bytes": 0, "first_seq": 0, "last_seq": 0}
                    | {"consumer_count": 0},
                    "cluster": cluster and dict(cluster),
                }
            )
            return info

    asked = cast("JetStreamContext", Asked())
    if believed:
        assert (await stream_info(asked, "MAIL")).created == THEN
    else:
        with pytest.raises(nats.errors.Error, match="leader"):
            await stream_info(asked, "MAIL")
