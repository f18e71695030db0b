"""Steady load on a province whose processes die: officers who ask again until they are answered.

Each officer tells one child's story after the other, from the absence to the order at the new
holder. So letters, grants, orders, and the exchanges of two agencies travel over a dozen lanes.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc

from adapters.reference import household_register, platform
from adapters.reference.people import Child
from gateway.config import NodeConfig
from gateway.crypto.development import Estate, EstateNode, file_stem
from gateway.domain.exchanges import ExchangeState
from gateway.domain.organisations import OrgId
from gateway.v1.case_pb2 import WHEREABOUTS_KIND_IN_HUKOU_COUNTY
from tests.faults.audit import Answered
from tests.faults.processes import ProcessProvince
from tests.world.estate import ESTATE, PLATFORM, POLICE, WUHUA, ZHENXIONG, ZHENXIONG_TOWNSHIP
from tests.world.story import Story
from tests.world.waiting import eventually

_NAMES = {"wuhua", "zhenxiong", "police", "platform"}
_ADAPTERS = {str(POLICE): "public_security", str(PLATFORM): "assistance_platform"}
_ASK_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
_PAUSE = 0.2
_PATIENCE = 180.0  # under steady kills a story takes its time


class LoadedProvince(ProcessProvince):
    """Two counties and two agencies with their own systems; whoever calls, calls until answered."""

    def __init__(self, directory: Path) -> None:
        estate = Estate(nodes=tuple(node for node in ESTATE.nodes if node.name in _NAMES))
        super().__init__(directory, estate)
        self.answered: list[Answered] = []
        self.asked_again = 0
        self._children = threading.Lock()
        household_register.create(self.system_url(POLICE))
        platform.create(self.system_url(PLATFORM))

    def system_url(self, agency: OrgId) -> str:
        """Return the database of an agency's own system."""
        return f"sqlite:///{self.directory / file_stem(agency)}.system.sqlite"

    def _config(self, node: EstateNode) -> NodeConfig:
        config = super()._config(node)
        homes = tuple(
            home.model_copy(
                update={
                    "adapter": _ADAPTERS[home.organisation],
                    "settings": {"url": self.system_url(OrgId.parse(home.organisation))},
                }
            )
            if home.organisation in _ADAPTERS
            else home
            for home in config.organisations
        )
        return config.model_copy(update={"organisations": homes})

    def next_child(self) -> Child:
        """Return a child that no other story knows, entered in the household register."""
        with self._children:
            child = super().next_child()
            entry = household_register.Registration(child, ZHENXIONG.division)
            household_register.seed(self.system_url(POLICE), [entry])
        return child

    def settled(self) -> bool:
        """Whether everything is receipted, and no agency owes an answer, which is mail again."""
        return self.audit.settled() and not any(map(self._owes, (POLICE, PLATFORM)))

    def _owes(self, agency: OrgId) -> bool:
        waiting = (ExchangeState.WAITING,)
        found = self.look(agency, lambda work: work.exchanges.page(agency, states=waiting, limit=1))
        return bool(found)

    def act(self, org: OrgId, method: str, request: Any, post: str = "CASE_OFFICER") -> Any:
        """Carry out a command: the very same request again and again, until it is answered."""
        if not request.request_id:
            request.request_id = str(uuid4())
        answer = self._until_answered(partial(super().act, org, method, request, post))
        self.answered.append(Answered(org, request.request_id, answer))
        return answer

    def ask(self, org: OrgId, method: str, request: Any) -> Any:
        """Carry out a query, as often as it takes."""
        return self._until_answered(partial(super().ask, org, method, request))

    def _until_answered(self, call: "partial[Any]") -> Any:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return call()
            except grpc.RpcError as broken:
                if broken.code() not in _ASK_AGAIN or time.monotonic() > deadline:
                    raise
                self.asked_again += 1
                time.sleep(_PAUSE)


class Officers:
    """A few officers at work, each on a thread of its own, until told to finish their stories."""

    def __init__(self, province: LoadedProvince, count: int) -> None:
        self._province = province
        self._leave = threading.Event()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="officer")
        self._work: list[Future[None]] = [self._pool.submit(self._tell) for _ in range(count)]
        self.told = 0

    def check(self) -> None:
        """Raise what an officer met that no officer should."""
        for work in self._work:
            if work.done():
                work.result()

    def finish(self) -> None:
        """Let everybody finish the story at hand, and raise what they met."""
        self._leave.set()
        self._pool.shutdown(wait=True)
        self.check()

    def _tell(self) -> None:
        while not self._leave.is_set():
            tell_story(self._province)
            self.told += 1


def story_before_letter(province: LoadedProvince) -> Story:
    """Tell one child's story until it is certain that the other county is to be written to."""
    story = Story(province)
    story.confirmed()
    wait = partial(eventually, most=_PATIENCE)
    wait(lambda: story.case(WUHUA).hukou_county == ZHENXIONG.division, "the household register")
    story.whereabouts(WHEREABOUTS_KIND_IN_HUKOU_COUNTY)
    story.determined()
    return story


def tell_story(province: LoadedProvince) -> Story:
    """Tell one child's story to the order, each step as soon as the one before has arrived."""
    story = story_before_letter(province)
    story.dispatched(ZHENXIONG)
    story.registered(ZHENXIONG)
    story.accepted(ZHENXIONG)
    story.seen_by(ZHENXIONG, "ASSIGNED")
    story.ordered(ZHENXIONG, ZHENXIONG_TOWNSHIP)
    return story


@contextmanager
def officers_at_work(province: LoadedProvince, count: int) -> Iterator[Officers]:
    """Have officers work while the block runs; afterwards their stories are finished."""
    officers = Officers(province, count)
    try:
        yield officers
    finally:
        officers.finish()
