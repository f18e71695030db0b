"""What a node may do on the broker, as data."""

import json
from pathlib import Path

import pytest

from gateway.bus.permissions import (
    BrokerSettings,
    BrokerUser,
    broker_config,
    inbox_prefix,
    permissions_of,
)
from gateway.bus.streams import MAX_ITEM_BYTES
from gateway.domain.organisations import OrgId

SETTINGS = BrokerSettings(Path("/srv/js"), Path("/srv/broker.pem"), Path('/srv/a "b".key'))


def test_a_node_may_send_to_all_and_take_from_its_own() -> None:
    """The list for one organisation is complete, and each of its subjects names that one."""
    allowed = permissions_of("police", [OrgId.parse("53/psb")])
    assert allowed.subscribe == ("_INBOX_police.>",)
    assert set(allowed.publish) == {
        "dx.v1.mail.>",
        "$JS.API.STREAM.INFO.MAIL",
        "$JS.API.STREAM.CREATE.MAIL",
        "$JS.API.CONSUMER.CREATE.MAIL.mail_53_psb.dx.v1.mail.53.psb",
        "$JS.API.CONSUMER.INFO.MAIL.mail_53_psb",
        "$JS.API.CONSUMER.DELETE.MAIL.mail_53_psb",
        "$JS.API.CONSUMER.MSG.NEXT.MAIL.mail_53_psb",
        "$JS.ACK.MAIL.mail_53_psb.>",
        "$JS.ACK.*.*.MAIL.mail_53_psb.>",
    }


def test_a_node_without_organisations_takes_nothing() -> None:
    """Nothing about consumers is allowed to a node that is home to nobody."""
    assert not [s for s in permissions_of("relay", []).publish if "CONSUMER" in s or "ACK" in s]


@pytest.mark.parametrize("node", ["", ">", "*", "a.b", "a b"])
def test_a_node_name_cannot_widen_its_inbox(node: str) -> None:
    """A wildcard or a second token in the name is refused."""
    with pytest.raises(ValueError, match="token"):
        inbox_prefix(node)


def test_the_broker_fsyncs_everything_and_knows_only_named_users() -> None:
    """The rendered file is strict, durable, over TLS, without monitor and without default user."""
    user = BrokerUser("UABC", permissions_of("police", [OrgId.parse("53/psb")]))
    config = json.loads(broker_config(SETTINGS, [user]))
    assert config["jetstream"]["sync_interval"] == "always"
    assert config["jetstream"]["strict"] is True
    assert config["tls"]["key_file"] == '/srv/a "b".key'
    assert config["host"] == "127.0.0.1"
    assert config["max_payload"] > MAX_ITEM_BYTES
    assert not {"http", "https", "no_auth_user", "accounts", "cluster", "leafnodes"} & set(config)
    (told,) = config["authorization"]["users"]
    assert told["nkey"] == "UABC"
    assert told["permissions"] == {
        "publish": {"allow": list(user.permissions.publish)},
        "subscribe": {"allow": list(user.permissions.subscribe)},
    }
