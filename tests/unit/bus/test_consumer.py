"""The consumer of a letter-box as data, and the pauses between deliveries."""

from nats.js.api import AckPolicy

from gateway.bus.consumer import Pace, durable_consumer
from gateway.domain.organisations import OrgId


def test_a_consumer_is_durable_explicit_and_never_gives_up() -> None:
    """No delivery is counted out, no acknowledgement implied, no other subject seen."""
    config = durable_consumer(OrgId.parse("530681/edu"), Pace())
    assert config.durable_name == config.name == "mail_53_06_81_edu"
    assert config.filter_subject == "dx.v1.mail.53.06.81.edu"
    assert config.ack_policy is AckPolicy.EXPLICIT
    assert config.max_deliver == -1
    assert config.ack_wait == 30
    assert config.max_ack_pending == 1024
    assert config.inactive_threshold is None


def test_pauses_double_up_to_the_longest() -> None:
    """The first pause is short, the tenth as long as allowed, the millionth no longer."""
    pace = Pace(again_first=1, again_most=60)
    assert [pace.again_after(n) for n in (1, 2, 3, 6, 7, 10**6)] == [1, 2, 4, 32, 60, 60]
