"""Published facts of a source that lost its memory: a follower takes every one, under no number twice."""

import hashlib

import pytest

from gateway.codec import enums
from gateway.domain.fact_chain import FactChain, FactVerdict, judge_notice
from gateway.domain.facts import FactKind
from gateway.ports.published_facts import NoticeRecord
from gateway.service import replay_facts
from gateway.service.desk import Desk
from gateway.service.publish_facts import note_facts
from gateway.v1 import fact_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from gateway.v1.fact_pb2 import FactNotice
from tests.delivery.inquiry import Inquiry
from tests.delivery.restoring import Restoring
from tests.world.estate import WUHUA
from tests.world.province import Province

KIND = FactKind.LETTER_DISPATCHED

pytestmark = pytest.mark.sqlite_alone  # a store is put back as a file


class Reader:
    """A follower that keeps what it has taken, and where the chain stands."""

    def __init__(self) -> None:
        self.chain = FactChain()
        self.taken: set[str] = set()
        self.verdicts: list[FactVerdict] = []

    def read(self, notices: list[NoticeRecord]) -> None:
        """Read notices as the carrier brings them."""
        for record in notices:
            payload = SignedEnvelope.FromString(record.envelope).payload
            notice, digest = FactNotice.FromString(payload), hashlib.sha256(payload).hexdigest()
            previous, life = notice.previous_notice_hash.hex(), notice.incarnation
            verdict = judge_notice(self.chain, notice.sequence, previous, digest, life)
            self.verdicts.append(verdict)
            if verdict is FactVerdict.TAKE:
                self.chain = self.chain.heard(life).advanced(digest)
                self.taken.add(Event.FromString(notice.event.payload).event_id)


async def noted(province: Province) -> list[NoticeRecord]:
    """Number what is new at the county, and return its chain."""

    def note(desk: Desk) -> list[NoticeRecord]:
        while note_facts(desk, [KIND]):
            pass
        return list(desk.work.facts.page(WUHUA, enums.wire(KIND), 0, 99, 2**20))

    store = province.node_of[WUHUA].store
    return await store.write(lambda work: note(province.desk(work, WUHUA, "SYSTEM")))


async def test_no_fact_is_passed_over_after_a_restore(province: Province) -> None:
    """The store forgot two notices and gives their numbers anew: the chain is another one, and
    holds what was stated before, during and after the loss. What is left of the old one is ignored.
    """
    restoring, reader = Restoring(province), Reader()
    await Inquiry(province, 1).settled("dispatched")
    await restoring.back_up("wuhua")
    for child in (2, 3):
        await Inquiry(province, child).settled("dispatched")
    old = await noted(province)
    reader.read(old)
    assert len(reader.taken) == 3
    await restoring.restore("wuhua")
    await restoring.settle()
    await Inquiry(province, 4).settled("dispatched")
    anew = await noted(province)
    reader.read(anew)
    reader.read(old)
    assert reader.verdicts == [FactVerdict.TAKE] * 7 + [FactVerdict.REPEATED] * 3
    events = {record.event_id for record in anew}
    assert reader.taken == events
    assert len(events) == 4


async def test_a_second_recovery_is_another_incarnation(province: Province) -> None:
    """Also one that the restored store does not remember."""
    restoring, reader = Restoring(province), Reader()
    await Inquiry(province).settled("dispatched")
    await restoring.back_up("wuhua")
    for _ in range(2):
        before = reader.chain.incarnation
        await restoring.restore("wuhua")
        await restoring.settle()
        reader.read(await noted(province))
        assert reader.chain.incarnation > before
        province.clock.advance(minutes=1)
    assert set(reader.verdicts) == {FactVerdict.TAKE}


async def test_who_resumes_from_the_first_life_is_given_the_new_chain_whole(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of the old chain means nothing in the new one, also where no incarnation is named."""
    monkeypatch.setattr(replay_facts, "_check_right", lambda *_: None)
    restoring = Restoring(province)
    await Inquiry(province, 1).settled("dispatched")
    await restoring.back_up("wuhua")
    taken = len(await noted(province))
    await restoring.restore("wuhua")
    await restoring.settle()
    await Inquiry(province, 2).settled("dispatched")
    anew = await noted(province)
    request = fact_pb2.ReplayFactsRequest(
        source=str(WUHUA), type=enums.wire(KIND), after_sequence=taken
    )
    page = await province.look(
        WUHUA, lambda desk: replay_facts.facts_page(desk, request, None).response
    )
    given = [FactNotice.FromString(notice.payload).sequence for notice in page.notices]
    assert given == [record.sequence for record in anew] == [1, 2]
