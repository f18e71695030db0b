"""An adapter takes part by signed events over NATS and in no other way."""

from collections.abc import Iterator

import pytest

from adapters.reference import household_register, platform
from gateway.codec import enums
from gateway.config import NodeConfig
from gateway.crypto.development import Estate, EstateNode, file_stem
from gateway.crypto.keyring import Keyring
from gateway.crypto.sealer import KeyringSealer
from gateway.domain.facts import FactKind
from gateway.domain.organisations import OrgId
from gateway.ports.event_log import LogFilter
from gateway.v1 import absence_pb2, agency_pb2, directory_pb2
from gateway.v1.event_pb2 import Event
from gateway.v1.message_pb2 import Message, MessageContent
from tests.stores import Stores
from tests.world.estate import ESTATE, PLATFORM, POLICE, WUHUA, WUHUA_SCHOOL
from tests.world.observer import Seen
from tests.world.running import RunningProvince
from tests.world.story import Story
from tests.world.waiting import eventually

_NAMES = {"wuhua", "police", "platform"}


class ProvinceWithAgencies(RunningProvince):
    """A county, and two agencies whose own systems are reached through their adapters."""

    def _config(self, node: EstateNode) -> NodeConfig:
        config = super()._config(node)
        adapters = {str(POLICE): "public_security", str(PLATFORM): "assistance_platform"}
        homes = tuple(
            home.model_copy(
                update={
                    "adapter": adapters[home.organisation],
                    "settings": {"url": self.system_url(home.organisation)},
                }
            )
            if home.organisation in adapters
            else home
            for home in config.organisations
        )
        return config.model_copy(update={"organisations": homes})

    def system_url(self, organisation: str) -> str:
        """Return the database of an agency's own system."""
        return f"sqlite:///{self.directory / file_stem(OrgId.parse(organisation))}.system.sqlite"

    def opened(self, seen: Seen, receiver: OrgId) -> list[Event]:
        """Open a captured message with the receiver's own key and return its events."""
        assert seen.header is not None
        node = self._node_of[receiver]
        pem = self.directory / "nodes" / node / "keys" / f"{file_stem(receiver)}.seal.pem"
        message = Message.FromString(seen.envelope.payload)
        clear = KeyringSealer(Keyring.load({receiver: [f"file:{pem}"]})).open(
            receiver, seen.header.seal_key_id, message.header, message.sealed_content
        )
        content = MessageContent.FromString(clear)
        return [Event.FromString(carried.event.payload) for carried in content.events]


@pytest.fixture(scope="module")
def agencies(
    tmp_path_factory: pytest.TempPathFactory, stores: Stores
) -> Iterator[ProvinceWithAgencies]:
    """The county and both agencies at work, their systems made and empty."""
    estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
    province = ProvinceWithAgencies(tmp_path_factory.mktemp("agencies"), estate, stores)
    household_register.create(province.system_url(str(POLICE)))
    platform.create(province.system_url(str(PLATFORM)))
    province.start()
    try:
        yield province
    finally:
        province.close()


def registered(province: ProvinceWithAgencies, story: Story, county: str) -> None:
    """Enter the child in the household register of public security."""
    entry = household_register.Registration(story.child, county)
    household_register.seed(province.system_url(str(POLICE)), [entry])


def entry_no(province: ProvinceWithAgencies, story: Story) -> str:
    """Return the platform's entry number as the school sees it."""
    request = absence_pb2.GetAbsenceRequest(absence_id=story.absence_id)
    return str(
        province.ask(WUHUA_SCHOOL, "AbsenceService/GetAbsence", request).absence.platform_entry_no
    )


def captured(
    province: ProvinceWithAgencies, agency: OrgId, receiver: OrgId, kind: FactKind, exchange_id: str
) -> list[Seen]:
    """Return the items on the bus that bring the agency's answer to an exchange."""
    return [
        seen
        for seen in province.observer.between(agency, receiver)
        if any(
            event.causation_id == exchange_id and event.type == enums.wire(kind)
            for event in province.opened(seen, receiver)
        )
    ]


def exchanges(province: ProvinceWithAgencies, agency: OrgId) -> list[agency_pb2.Exchange]:
    """Return what was asked of the agency."""
    request = agency_pb2.ListExchangesRequest(page_size=200)
    return list(province.ask(agency, "AgencyService/ListExchanges", request).exchanges)


def keys_of(province: ProvinceWithAgencies, org: OrgId) -> set[str]:
    """Return the identifiers of the organisation's keys in the directory."""
    request = directory_pb2.ListKeysRequest(organisation=str(org))
    answer = province.ask(WUHUA, "DirectoryService/ListKeys", request)
    return {key.key_id for key in answer.keys}


def test_every_exchange_is_an_envelope_under_the_agencys_key(
    agencies: ProvinceWithAgencies,
) -> None:
    """Absence and hukou query: each answer crosses the bus signed by the agency that gives it."""
    story = Story(agencies)
    registered(agencies, story, WUHUA.division)
    story.confirmed()
    eventually(lambda: entry_no(agencies, story), "the platform's entry number")
    eventually(
        lambda: story.case(WUHUA).hukou_county == WUHUA.division, "the answer of public security"
    )
    agencies.run(agencies.observer.caught_up())
    for agency, receiver, kind in (
        (PLATFORM, WUHUA_SCHOOL, FactKind.PLATFORM_ENTRY_RECORDED),
        (POLICE, WUHUA, FactKind.HUKOU_ASSERTED),
    ):
        exchange = next(e for e in exchanges(agencies, agency) if e.asked_by == str(receiver))
        (item, *_) = captured(agencies, agency, receiver, kind, exchange.exchange_id)
        (signature,) = item.envelope.signatures
        assert signature.key_id in keys_of(agencies, agency)


def test_an_echo_of_the_platforms_own_record_is_dropped(agencies: ProvinceWithAgencies) -> None:
    """What the gateway entered comes back among the platform's changes, and becomes no new fact."""
    story = Story(agencies)
    story.reported()
    number = eventually(lambda: entry_no(agencies, story), "the platform's entry number")
    lines = platform.entries(agencies.system_url(str(PLATFORM)))
    assert number in {line.entry_no for line in lines}
    eventually(
        lambda: (
            agencies.look(PLATFORM, lambda work: work.bookmarks.get(PLATFORM, "adapter cursor"))
            == str(len(lines))
        ),
        "the changes read up to the newest entry",
    )
    stated = agencies.look(
        PLATFORM,
        lambda work: work.events.page(
            PLATFORM, 0, 500, LogFilter(types=(enums.wire(FactKind.PLATFORM_ENTRY_RECORDED),))
        ),
    )
    assert len(stated) == len(lines)


def test_with_the_broker_stopped_nothing_passes_and_then_everything_does(
    agencies: ProvinceWithAgencies,
) -> None:
    """County, platform and police share a machine, yet without the bus none hears another."""
    story = Story(agencies)
    registered(agencies, story, WUHUA.division)
    agencies.broker.stop()
    story.reported()
    before = len(platform.entries(agencies.system_url(str(PLATFORM))))
    for name in ("wuhua", "police", "platform"):
        eventually(lambda name=name: not agencies.serving(name), f"{name} missing the bus")  # type: ignore[misc]
    assert not entry_no(agencies, story)
    assert len(platform.entries(agencies.system_url(str(PLATFORM)))) == before
    agencies.broker.start()
    eventually(lambda: entry_no(agencies, story), "the platform's entry number")
    assert len(platform.entries(agencies.system_url(str(PLATFORM)))) == before + 1
