"""Health that tells the truth: what ails a running node, for its health service and its log.

Every second each part is looked at. A part that fails is NOT_SERVING under its own name; without
store, bus or keys the node is. Store and disk are judged by real writes: now and then a moment is
noted in the store, which is also what a clock is judged by after a restart.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.bootstrap.clock_watch import ClockWatch
from gateway.bootstrap.faults import NodeFault, refuse
from gateway.bootstrap.store_guard import StoreGuard
from gateway.bus.jetstream import JetStreamBus
from gateway.crypto.directory import SignedDirectory
from gateway.crypto.faults import DirectoryFault
from gateway.domain.keys import KeyPurpose
from gateway.domain.organisations import OrgId
from gateway.log_events import LogEvent, log
from gateway.ports.clock import Clock
from gateway.ports.condition import RUNNING, VITAL, Code, Finding, Part, Severity, good
from gateway.ports.directory import Directory
from gateway.ports.store import StoreUnavailable, Work
from gateway.service.desk import Tools
from gateway.store.checks import lane_findings
from gateway.store.faults import UnsafeStore
from gateway.store.writer import SqlStore

LATEST_MOMENT: Final = "latest moment"
DIRECTORY_VERSION: Final = "directory version"
"""Bookmarks in which a node notes what it must not fall behind."""

_WATCH_SECONDS: Final = 1.0
_NOTE_SECONDS: Final = 5.0
_HANGS_SECONDS: Final = 10.0
_COUNT_SECONDS: Final = 30.0
_ENDS_SOON: Final = timedelta(days=30)

Say = Callable[[bool, Mapping[str, bool]], Awaitable[None]]
"""Takes whether the node serves, and each part."""


@dataclass(frozen=True)
class Watched:
    """The parts of a node that health looks at."""

    name: str
    clock: Clock
    tools: Tools
    engine: Engine
    store: SqlStore
    guard: StoreGuard
    bus: JetStreamBus


class Health:
    """Looks at the parts of a running node."""

    def __init__(self, watched: Watched, reload_seconds: float) -> None:
        self._watched = watched
        self._pause = min(_WATCH_SECONDS, reload_seconds)
        self._home = min(watched.tools.home, key=str)
        self._clock = ClockWatch(watched.clock)
        self._noting: asyncio.Task[None] | None = None
        self._begun = 0.0
        self._counted = float("-inf")
        self._lanes = [good(Part.LANES, "not counted yet")]
        self._said: dict[Part, str] = {}

    async def begin(self) -> None:
        """Compare with what the store remembers, before the node serves.

        Raises NodeFault when the directory was rolled back or the store does not answer.
        """
        watched = self._watched

        def remembered(work: Work) -> tuple[str, str]:
            get = work.bookmarks.get
            return get(self._home, LATEST_MOMENT), get(self._home, DIRECTORY_VERSION)

        try:
            moment, version = await watched.store.read(remembered)
        except StoreUnavailable as fault:
            raise NodeFault("The store does not answer. Run: gateway doctor") from fault
        if moment:
            self._clock = ClockWatch(watched.clock, datetime.fromisoformat(moment))
        if watched.tools.directory.version < int(version or 0):
            facts = {"version": str(watched.tools.directory.version), "seen": version}
            refuse(Finding(Part.DIRECTORY, Code.DIRECTORY_ROLLED_BACK, facts))

    async def run(self, say: Say) -> None:
        """Look and tell until cancelled. Raises NodeFault for what the node must not go on with."""
        try:
            while True:
                await self._tell(await self.look(), say)
                await asyncio.sleep(self._pause)
        finally:
            if self._noting is not None:
                self._noting.cancel()

    async def look(self) -> list[Finding]:
        """Look at every part that runs. Raises NodeFault."""
        tools, now = self._watched.tools, self._watched.clock.now()
        directory = directory_findings(tools.directory, tools.home, self._watched.name)
        for finding in directory:
            if finding.code is Code.ORGANISATION_ELSEWHERE:
                refuse(finding)  # its other node may act already
        return [
            *self._store(),
            self._watched.bus.finding,
            *directory,
            *key_findings(tools.directory, tools.home, now),
            self._clock.look(),
            *await self._counts(now),
        ]

    def _store(self) -> list[Finding]:
        """Judge by real writes: what noting a moment came to, and how long it has taken."""
        store, steady = self._watched.store, time.monotonic()
        if self._noting is None or self._noting.done():
            pause = _NOTE_SECONDS if store.ready else _WATCH_SECONDS
            if steady - self._begun >= pause or self._begun == 0.0:
                self._begun = steady
                self._noting = asyncio.create_task(self._note(), name="health note")
        elif steady - self._begun > _HANGS_SECONDS:
            facts = {"seconds": f"{steady - self._begun:.0f}"}
            return [Finding(Part.STORE, Code.STORE_HANGS, facts)]
        findings = self._watched.guard.findings()
        if not store.ready:
            facts = {"fault": "its last transaction failed", "free": "nothing"}
            findings.append(Finding(Part.STORE, store.ails, facts))
        return findings

    async def _note(self) -> None:
        version = str(self._watched.tools.directory.version)
        moment = self._watched.clock.now().isoformat()
        begun = self._watched.guard.moment()

        def note(work: Work) -> None:
            work.bookmarks.set(self._home, LATEST_MOMENT, moment)
            work.bookmarks.set(self._home, DIRECTORY_VERSION, version)

        try:
            await self._watched.store.write(note)
        except StoreUnavailable:
            return  # the store says so itself: it is not ready
        self._watched.guard.committed(begun)

    async def _counts(self, now: datetime) -> list[Finding]:
        if time.monotonic() - self._counted >= _COUNT_SECONDS:
            self._counted = time.monotonic()
            try:
                self._lanes = await asyncio.to_thread(lane_findings, self._watched.engine, now)
            except (SQLAlchemyError, UnsafeStore):
                return self._lanes  # what the store ails from is said under its own name
        return self._lanes

    async def _tell(self, findings: list[Finding], say: Say) -> None:
        failing = {finding.part for finding in findings if finding.severity is Severity.FAIL}
        for part in RUNNING:
            ill = [f for f in findings if f.part is part and f.severity is not Severity.OK]
            codes = "+".join(sorted({finding.code for finding in ill}))
            if codes != self._said.get(part, ""):
                level = "warning" if ill else "info"
                log(LogEvent.CONDITION_CHANGED, level=level, part=part, codes=codes or Code.GOOD)
            self._said[part] = codes
        await say(not failing & VITAL, {part: part not in failing for part in RUNNING})


def directory_findings(directory: Directory, home: frozenset[OrgId], node: str) -> list[Finding]:
    """Take a newer edition if there is one, and see whether all at home belong on this node."""
    findings = []
    try:
        if isinstance(directory, SignedDirectory) and directory.reload():
            log(LogEvent.DIRECTORY_LOADED, version=directory.version)
    except DirectoryFault as fault:
        log(LogEvent.DIRECTORY_REFUSED, level="error", version=directory.version)
        facts = {"what": fault.message}
        findings.append(Finding(Part.DIRECTORY, Code.DIRECTORY_REFUSED, facts))
    for org in sorted(home, key=str):
        entry = directory.organisation(org)
        if entry is None:
            facts = {"org": str(org)}
            findings.append(Finding(Part.DIRECTORY, Code.ORGANISATION_UNLISTED, facts))
        elif entry.node not in {"", node}:
            facts = {"org": str(org), "node": entry.node}
            findings.append(Finding(Part.DIRECTORY, Code.ORGANISATION_ELSEWHERE, facts))
    return findings or [good(Part.DIRECTORY, f"version {directory.version} is in force")]


def key_findings(directory: Directory, home: frozenset[OrgId], now: datetime) -> list[Finding]:
    """See whether each organisation at home can sign and be sealed to, now and in a month."""
    findings = []
    for org in sorted(home, key=str):
        for purpose in KeyPurpose:
            key = directory.current_key(org, purpose, now)
            facts = {"org": str(org), "purpose": purpose.lower()}
            if key is None:
                findings.append(Finding(Part.KEYS, Code.KEY_MISSING, facts))
            elif key.not_after - now < _ENDS_SOON:
                facts["until"] = f"{key.not_after:%F}"
                findings.append(Finding(Part.KEYS, Code.KEY_ENDS, facts))
    return findings or [good(Part.KEYS, f"{len(home)} organisations can sign and be sealed to")]
