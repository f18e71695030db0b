"""A thief of a signing key, after it was revoked, gets nothing out of a recovery."""

import hashlib
from collections.abc import Sequence

import pytest

from gateway.codec import enums
from gateway.crypto.envelope import pae
from gateway.crypto.signer import DirectorySigner
from gateway.domain.dead_letters import DeadLetterKind
from gateway.domain.errors import Reason
from gateway.domain.keys import KeyPurpose
from gateway.domain.payload_types import EVENT, TITLE
from gateway.domain.titles import TitleCause
from gateway.service.titles import known_titles
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import Signature, SignedEnvelope
from gateway.v1.event_pb2 import Event
from gateway.v1.title_pb2 import Title
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring
from tests.delivery.rotation import Ending, expired, revoked, rotate
from tests.delivery.test_recovery_hostile import OUTSIDE, facts_of, returned
from tests.delivery.test_recovery_peers import go_on, on_desk, running, silence
from tests.world.estate import PLATFORM, WUHUA, ZHENXIONG
from tests.world.province import Province

E = "wuhua"

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


@pytest.fixture
def restoring(province: Province) -> Restoring:
    """Return a province whose nodes may be restored."""
    return Restoring(province)


class Thief:
    """Has the private half of the county's present key, whatever becomes of that key."""

    def __init__(self, province: Province) -> None:
        node = province.node_of[WUHUA]
        key = node.tools.directory.current_key(WUHUA, KeyPurpose.SIGN, province.clock.now())
        signer = node.tools.signer
        assert key is not None
        assert isinstance(signer, DirectorySigner)
        self._key = signer._keyring._keys[WUHUA][key.key_id]

    def sign(self, payload_type: str, payload: bytes) -> SignedEnvelope:
        """Sign as the county."""
        assert self._key.sign is not None
        value = self._key.sign(pae(payload_type, payload))
        signature = Signature(key_id=self._key.key_id, value=value)
        return SignedEnvelope(payload=payload, payload_type=payload_type, signatures=[signature])

    def fact(self, like: SignedEnvelope) -> SignedEnvelope:
        """Make another fact of the moment of one of the county's."""
        event = Event.FromString(like.payload)
        event.event_id = OUTSIDE
        return self.sign(EVENT, event.SerializeToString())

    def title(self, last: SignedEnvelope) -> SignedEnvelope:
        """Grant the case on, to the county that the thief writes for."""
        title = Title.FromString(last.payload)
        title.epoch.number += 1
        title.holder = str(ZHENXIONG)
        title.maker = str(WUHUA)
        title.cause = enums.wire(TitleCause.ACCEPTED)
        title.previous_title_hash = hashlib.sha256(last.payload).digest()
        return self.sign(TITLE, title.SerializeToString())


async def titles_of(province: Province, case_id: str) -> Sequence[SignedEnvelope]:
    """Return the titles of a case at the county, oldest first."""
    chain = await province.look(WUHUA, lambda desk: desk.work.titles.chain(WUHUA, case_id))
    return [SignedEnvelope.FromString(title) for title in chain]


async def conflicts(province: Province) -> list[Reason]:
    """Return why the county set returned facts aside."""
    found = await province.look(
        WUHUA, lambda d: d.work.dead_letters.page(WUHUA, kind=DeadLetterKind.UNAUTHENTIC)
    )
    return [letter.reason for letter in found]


@pytest.mark.parametrize(("ending", "begins"), [(expired, True), (revoked, False)])
async def test_no_recovery_begins_from_a_fact_under_a_revoked_key(
    province: Province, restoring: Restoring, ending: Ending, begins: bool
) -> None:
    """Who has the key in hand writes any moment; a key that ran out is in nobody else's hands."""
    story = await Inquiry(province).settled("determined")
    fact = Thief(province).fact((await facts_of(province, story.case_id))[-1])
    rotate(province, WUHUA, ending)
    province.clock.advance(days=1)
    await on_desk(province, returned(province, message_pb2.CarriedEvent(event=fact)))
    assert (WUHUA in await restoring.recovering()) == begins


@pytest.mark.parametrize("what", ["fact", "title"])
async def test_what_a_stolen_key_signed_is_not_put_back(
    province: Province, restoring: Restoring, what: str
) -> None:
    """It stands as a conflict, moves no case, and its peer has not answered with it."""
    story = await Inquiry(province).settled("determined")
    thief = Thief(province)
    await restoring.back_up(E)
    rotate(province, WUHUA, revoked)
    silence(province, ZHENXIONG)
    await restoring.restore(E)
    recovery = await running(province, WUHUA)
    last = (await facts_of(province, story.case_id))[-1]
    carried = message_pb2.CarriedEvent(event=last)
    if what == "fact":
        carried.event.CopyFrom(thief.fact(last))
    else:
        carried.titles.append(thief.title((await titles_of(province, story.case_id))[-1]))
    await on_desk(province, returned(province, carried, recovery_id=recovery.id))
    await go_on(restoring)
    assert await conflicts(province) == [Reason.KEY_REVOKED]
    assert WUHUA in await restoring.recovering()
    assert (await story.case(WUHUA)).holder == WUHUA
    assert len(await titles_of(province, story.case_id)) == 1


async def test_what_the_store_has_itself_may_be_under_a_revoked_key(
    province: Province, restoring: Restoring
) -> None:
    """Peers return what is known here too: that contradicts nothing, and the recovery ends."""
    story = await Inquiry(province).settled("dispatched")
    await restoring.back_up(E)
    rotate(province, WUHUA, revoked)
    await restoring.restore(E)
    await restoring.settle()
    assert not await conflicts(province)
    assert (await story.letter(ZHENXIONG)).sender == WUHUA


async def test_titles_of_another_case_are_not_taken(
    province: Province, restoring: Restoring
) -> None:
    """A returned fact brings the titles of its own cases."""
    one, other = Inquiry(province), Inquiry(province, 2)
    await one.settled("determined")
    await other.settled("determined")
    title = Thief(province).title((await titles_of(province, other.case_id))[-1])
    await restoring.back_up(E)
    silence(province, PLATFORM)
    await restoring.restore(E)
    recovery = await running(province, WUHUA)
    fact = (await facts_of(province, one.case_id))[-1]
    carried = message_pb2.CarriedEvent(event=fact, titles=[title])
    await on_desk(province, returned(province, carried, recovery_id=recovery.id))
    chain = await province.look(WUHUA, lambda desk: known_titles(desk, other.case_id))
    assert [known.holder for known in chain] == [WUHUA]
