"""Supervision, which follows facts of others: its right, its user at the broker, its clients."""

import asyncio
import hashlib
import ssl
from datetime import timedelta

import nats
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from gateway.bus.fact_stream import FACT_STREAM, fact_stream
from gateway.bus.node_keys import public_nkey, user_seed
from gateway.bus.permissions import (
    BrokerUser,
    NodePermissions,
    follower_name,
    inbox_prefix,
    permissions_of_follower,
)
from gateway.bus.subjects import fact_durable, fact_filter
from gateway.codec import enums
from gateway.crypto.authority import end_entitlements, grant_entitlement
from gateway.crypto.development import Estate, EstateNode
from gateway.crypto.edition import Edition
from gateway.crypto.keyring import read_private_key
from gateway.domain.entitlements import Entitlement
from gateway.domain.facts import FactKind
from gateway.domain.organisations import Organisation, OrgId
from gateway.v1 import fact_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.world.estate import ESTATE
from tests.world.running import RunningProvince
from tests.world.running_estate import HOSTILE_NODE
from tests.world.waiting import PATIENCE, eventually

SUPERVISION = OrgId.parse("53/sup")
NOBODY = OrgId.parse("5301/sup")
"""An organisation of the same role without any right."""

SEED = user_seed(b"supervision follows some facts..")
_OPERATOR = user_seed(b"an operator of the broker itself")
_COUNTIES = {"wuhua", "zhenxiong", "police"}
SUPERVISED = Estate(
    nodes=(
        *(node for node in ESTATE.nodes if node.name in _COUNTIES),
        # Never started: these have certificates and rights, and no gateway of their own.
        EstateNode(
            HOSTILE_NODE,
            (Organisation(SUPERVISION, "云南省教育督导"), Organisation(NOBODY, "昆明市教育督导")),
        ),
    )
)


class Follower:
    """What supervision does in a running province of SUPERVISED."""

    def __init__(self, world: RunningProvince) -> None:
        self.world = world
        self._authority = read_private_key(world.directory / "authority.key.pem")
        self._directory = world.directory / "directory.bin"
        self._nodes = list(world.broker._users)

    def granted(self, division: str, *kinds: FactKind) -> None:
        """The authority enters a right; every node and the broker know of it."""
        now = self.world.clock.now()
        day = timedelta(days=1)  # the clocks of the nodes are not quite the same
        right = Entitlement(
            SUPERVISION, division, frozenset(kinds), now - day, now + day, "art. 13"
        )
        self._known(grant_entitlement(self._directory, self._authority, right, now=now))

    def ended(self) -> None:
        """The authority ends every right of it."""
        now = self.world.clock.now()
        self._known(end_entitlements(self._directory, self._authority, SUPERVISION, now=now))

    def _known(self, edition: Edition) -> None:
        self.world.knows_edition(edition.version)
        now = self.world.clock.now()
        rights = [one for one in edition.entitlements if one.holds(now)]
        log = self.world.broker.store_dir.with_name("broker.log")
        before = log.read_text().count("Reloaded server configuration")
        users = [
            BrokerUser(public_nkey(SEED), permissions_of_follower(SUPERVISION, rights)),
            BrokerUser(public_nkey(_OPERATOR), NodePermissions((">",), (">",))),
        ]
        self.world.broker.admit([*self._nodes, *users])
        eventually(
            lambda: log.read_text().count("Reloaded server configuration") > before, "new users"
        )

    def replayed(
        self, source: OrgId, kind: FactKind, as_: OrgId = SUPERVISION, **range_: int
    ) -> list[SignedEnvelope]:
        """Read a chain, or a part of it, from its source over gRPC."""
        request = fact_pb2.ReplayFactsRequest(
            source=str(source),
            type=enums.wire(kind),
            **range_,  # type: ignore[arg-type]
        )
        node = self.world.nodes[self.world._node_of[source]]
        stub = self.world.clients.channel(as_, node.address).unary_stream(
            "/gateway.v1.FactService/ReplayFacts",
            request_serializer=fact_pb2.ReplayFactsRequest.SerializeToString,
            response_deserializer=fact_pb2.ReplayFactsResponse.FromString,
        )
        return [notice for page in stub(request, timeout=PATIENCE) for notice in page.notices]

    def over_nats(self, division: str, kind: FactKind, count: int) -> list[tuple[str, bytes]]:
        """Take so many facts from the broker, anew from the first that it still has."""
        return self.world.run(self._over_nats(division, kind, count))

    async def _over_nats(
        self, division: str, kind: FactKind, count: int
    ) -> list[tuple[str, bytes]]:
        client = await nats.connect(
            self.world.broker.url,
            tls=ssl.create_default_context(cafile=str(self.world.directory / "ca.pem")),
            nkeys_seed_str=SEED,
            inbox_prefix=inbox_prefix(follower_name(SUPERVISION)),
        )
        found: list[tuple[str, bytes]] = []
        try:
            js, durable = client.jetstream(), fact_durable(SUPERVISION, division, kind)
            config = ConsumerConfig(
                name=durable,
                durable_name=durable,
                filter_subject=fact_filter(division, kind),
                ack_policy=AckPolicy.EXPLICIT,
            )
            await js.add_consumer(FACT_STREAM, config)
            source = await js.pull_subscribe_bind(durable, FACT_STREAM)
            async with asyncio.timeout(PATIENCE):
                while len(found) < count:
                    for message in await source.fetch(count - len(found), timeout=PATIENCE):
                        await message.ack()
                        found.append((message.subject, message.data))
            await js.delete_consumer(FACT_STREAM, durable)
        finally:
            await client.close()
        return found

    def keeping_one_fact(self) -> None:
        """An operator lets the broker keep only the last fact of each subject."""
        self.world.run(self._keeping_one_fact())

    async def _keeping_one_fact(self) -> None:
        client = await nats.connect(
            self.world.broker.url,
            tls=ssl.create_default_context(cafile=str(self.world.directory / "ca.pem")),
            nkeys_seed_str=_OPERATOR,
        )
        config: StreamConfig = fact_stream(1)
        config.max_msgs_per_subject = 1
        await client.jetstream().update_stream(config)
        await client.close()


def digests(notices: list[SignedEnvelope]) -> list[str]:
    """The hashes of the signed payloads."""
    return [hashlib.sha256(notice.payload).hexdigest() for notice in notices]
