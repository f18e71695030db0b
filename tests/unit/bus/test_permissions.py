"""What a node may do on the broker, as data."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.bus.permissions import (
    BrokerSettings,
    BrokerUser,
    broker_config,
    inbox_prefix,
    permissions_of,
    permissions_of_follower,
)
from gateway.bus.streams import MAX_ITEM_BYTES
from gateway.domain.entitlements import Entitlement
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId

SETTINGS = BrokerSettings(Path("/srv/js"), Path("/srv/broker.pem"), Path('/srv/a "b".key'))


def test_a_node_may_send_to_all_and_take_from_its_own() -> None:
    """The list for one organisation is complete, and each of its subjects names that one."""
    allowed = permissions_of("police", [OrgId.parse("53/psb")])
    assert allowed.subscribe == ("_INBOX_police.>",)
    assert set(allowed.publish) == {
        "dx.v1.mail.>",
        "dx.v1.broker",
        "$JS.API.STREAM.INFO.MAIL",
        "$JS.API.STREAM.CREATE.MAIL",
        "$JS.API.STREAM.INFO.FACT",
        "$JS.API.STREAM.CREATE.FACT",
        "dx.v1.fact.*.53.psb",
        "$JS.API.CONSUMER.CREATE.MAIL.mail_53_psb.dx.v1.mail.53.psb",
        "$JS.API.CONSUMER.INFO.MAIL.mail_53_psb",
        "$JS.API.CONSUMER.DELETE.MAIL.mail_53_psb",
        "$JS.API.CONSUMER.MSG.NEXT.MAIL.mail_53_psb",
        "$JS.ACK.MAIL.mail_53_psb.>",
        "$JS.ACK.*.*.MAIL.mail_53_psb.>",
    }


def test_a_follower_may_take_what_it_is_entitled_to_and_nothing_else() -> None:
    """One durable consumer for each kind and division, its filter in the subject of the call."""
    follower = OrgId.parse("5306/edu")
    right = Entitlement(
        follower,
        "5306",
        # A bureau above may not know the school of a return: the table decides, not the entry.
        frozenset({FactKind.TITLE_GRANTED, FactKind.STUDENT_RETURNED}),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        "art. 14",
    )
    allowed = permissions_of_follower(follower, [right, right])
    assert allowed.subscribe == ("_INBOX_follower_53_06_edu.>",)
    own = "FACT.fact_53_06_edu_title_granted_53_06"
    assert list(allowed.publish) == [
        f"$JS.API.CONSUMER.CREATE.{own}.dx.v1.fact.title_granted.53.06.>",
        f"$JS.API.CONSUMER.INFO.{own}",
        f"$JS.API.CONSUMER.DELETE.{own}",
        f"$JS.API.CONSUMER.MSG.NEXT.{own}",
        f"$JS.ACK.{own}.>",
        f"$JS.ACK.*.*.{own}.>",
    ]
    assert permissions_of_follower(OrgId.parse("53/sup"), [right]).publish == ()


def test_a_node_without_organisations_takes_nothing() -> None:
    """Nothing about consumers is allowed to a node that is home to nobody."""
    assert not [s for s in permissions_of("relay", []).publish if "CONSUMER" in s or "ACK" in s]


def test_a_node_behind_a_leaf_calls_the_domain_of_the_broker() -> None:
    """The same list, with every call of JetStream by the domain and none past it."""
    police = [OrgId.parse("53/psb")]
    plain, behind = permissions_of("police", police), permissions_of("police", police, "hub")
    assert behind.subscribe == plain.subscribe
    assert behind.publish == tuple(s.replace("$JS.API", "$JS.hub.API") for s in plain.publish)
    assert behind != plain
    with pytest.raises(ValueError, match="token"):
        permissions_of("police", police, "*")


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
    assert not {"http", "https", "no_auth_user", "cluster", "leafnodes"} & set(config)
    assert "users" not in config["authorization"]
    assert "users" not in config["accounts"][config["system_account"]]
    (told,) = config["accounts"]["GATEWAY"]["users"]
    assert told["nkey"] == "UABC"
    assert told["permissions"] == {
        "publish": {"allow": list(user.permissions.publish)},
        "subscribe": {"allow": list(user.permissions.subscribe)},
    }
