"""What may ail a node: a closed list, which its health service and `gateway doctor` both speak.

A check looks at one part and yields findings. A finding is a code and facts (paths, counts, dates,
codes; never content); what the code means, how grave it is and what to do about it stands in one
table, here in English and in `gateway.cli.doctor_words` in Chinese.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """A part of a node. The health service answers for those that run, under these names."""

    SETTINGS = "settings"
    KEYS = "keys"
    DIRECTORY = "directory"
    STORE = "store"
    BUS = "bus"
    CLOCK = "clock"
    LANES = "lanes"
    NODE = "node"


RUNNING = (Part.STORE, Part.BUS, Part.DIRECTORY, Part.KEYS, Part.CLOCK, Part.LANES)
"""Services of the health service beside those of the contract."""

VITAL = frozenset({Part.STORE, Part.BUS, Part.KEYS})
"""Without one of these the node as a whole is NOT_SERVING."""


class Severity(StrEnum):
    """How grave a finding is."""

    OK = "OK"
    WARN = "WARN"
    """It works, and somebody should look at it."""
    FAIL = "FAIL"
    """It does not do its work."""


class Code(StrEnum):
    """What was found. Codes are added, never renamed."""

    GOOD = "GOOD"
    NOT_ASKED = "NOT_ASKED"

    SETTING_WRONG = "SETTING_WRONG"
    OPEN_TO_OTHERS = "OPEN_TO_OTHERS"
    CERTIFICATE_ENDS = "CERTIFICATE_ENDS"

    KEY_MISSING = "KEY_MISSING"
    KEY_ENDS = "KEY_ENDS"
    DIRECTORY_REFUSED = "DIRECTORY_REFUSED"
    DIRECTORY_ROLLED_BACK = "DIRECTORY_ROLLED_BACK"
    ORGANISATION_ELSEWHERE = "ORGANISATION_ELSEWHERE"
    ORGANISATION_UNLISTED = "ORGANISATION_UNLISTED"

    STORE_ABSENT = "STORE_ABSENT"
    STORE_AWAY = "STORE_AWAY"
    STORE_HANGS = "STORE_HANGS"
    STORE_OUTDATED = "STORE_OUTDATED"
    STORE_UNSAFE = "STORE_UNSAFE"
    STORE_READ_ONLY = "STORE_READ_ONLY"
    STORE_DAMAGED = "STORE_DAMAGED"
    STORE_BEING_CHECKED = "STORE_BEING_CHECKED"
    STORE_LOG_MISSING = "STORE_LOG_MISSING"
    RECOVERING = "RECOVERING"
    DISK_FULL = "DISK_FULL"
    DISK_FILLS = "DISK_FILLS"

    BUS_AWAY = "BUS_AWAY"
    BROKER_TOO_OLD = "BROKER_TOO_OLD"
    BROKER_LAZY_SYNC = "BROKER_LAZY_SYNC"
    BROKER_SILENT = "BROKER_SILENT"
    STREAM_UNSAFE = "STREAM_UNSAFE"

    CLOCK_BEHIND = "CLOCK_BEHIND"
    CLOCK_JUMPED = "CLOCK_JUMPED"

    DEAD_LETTERS = "DEAD_LETTERS"
    EVENTS_PARKED = "EVENTS_PARKED"
    MAIL_HELD_BACK = "MAIL_HELD_BACK"
    MAIL_UNANSWERED = "MAIL_UNANSWERED"

    NODE_AWAY = "NODE_AWAY"
    NODE_NOT_SERVING = "NODE_NOT_SERVING"


@dataclass(frozen=True)
class Meaning:
    """Severity of a code, a sentence with places for facts, and what to do."""

    severity: Severity
    sentence: str
    advice: str = ""


_OK, _WARN, _FAIL = Severity.OK, Severity.WARN, Severity.FAIL

MEANINGS: Mapping[Code, Meaning] = {
    Code.GOOD: Meaning(_OK, "{what}"),
    Code.NOT_ASKED: Meaning(_OK, "Not looked at: {what}"),
    Code.SETTING_WRONG: Meaning(_FAIL, "{setting}: {what}"),
    Code.CERTIFICATE_ENDS: Meaning(
        _WARN, "The certificate {setting} ends on {until}.", "Have it renewed before."
    ),
    Code.KEY_MISSING: Meaning(
        _FAIL,
        "The directory has no valid key of {org} to {purpose}.",
        "Have the directory's authority enter one.",
    ),
    Code.KEY_ENDS: Meaning(
        _WARN,
        "The key of {org} to {purpose} ends on {until}.",
        "Have the directory's authority enter the next one, and keep the old one configured.",
    ),
    Code.DIRECTORY_REFUSED: Meaning(
        _WARN, "{what}", "The edition in force stays. Fetch the directory again from its authority."
    ),
    Code.DIRECTORY_ROLLED_BACK: Meaning(
        _FAIL,
        "The directory is version {version}; this node has gone by version {seen}.",
        "Fetch the directory again from its authority: keys revoked since would count again.",
    ),
    Code.ORGANISATION_ELSEWHERE: Meaning(
        _FAIL,
        "{org} is configured here, but the directory has it at {node}.",
        "Correct one of the two: an organisation has one store, or two may act at once.",
    ),
    Code.ORGANISATION_UNLISTED: Meaning(
        _FAIL,
        "{org} is configured here, but the directory does not list it.",
        "Have the authority enter it, or remove it from [[organisations]].",
    ),
    Code.STORE_ABSENT: Meaning(
        _WARN, "There is no store at {path} yet.", "It is made at the first start."
    ),
    Code.STORE_AWAY: Meaning(
        _FAIL,
        "The store does not answer as it should ({fault}).",
        "Check [store] url, that the database runs, and that it lets this user in.",
    ),
    Code.STORE_HANGS: Meaning(
        _FAIL,
        "A transaction has waited for {seconds} s.",
        "Look at the disk, or at what else uses the database.",
    ),
    Code.OPEN_TO_OTHERS: Meaning(
        _WARN, "{path} may be read by other users (mode {mode}).", "Run: chmod 600 {path}"
    ),
    Code.STORE_OUTDATED: Meaning(_FAIL, "{what}"),
    Code.STORE_UNSAFE: Meaning(
        _FAIL, "{what}", "Set the database so that a commit means: on disk."
    ),
    Code.STORE_READ_ONLY: Meaning(
        _FAIL,
        "The store cannot be written to.",
        "See why its disk or file is read-only (a disk often becomes so by an error).",
    ),
    Code.STORE_DAMAGED: Meaning(
        _FAIL,
        "The store is damaged: {what}.",
        "Keep its files, look at the disk, and restore the newest backup; the peers return the "
        "rest.",
    ),
    Code.STORE_BEING_CHECKED: Meaning(_OK, "The store is being checked page by page."),
    Code.STORE_LOG_MISSING: Meaning(
        _FAIL,
        "The write-ahead log {path} is gone, and with it what was acknowledged since {since}.",
        "Put the file back. If it is lost, or the store is a backup restored on purpose, remove "
        "{mark}: the node then recovers from its peers.",
    ),
    Code.RECOVERING: Meaning(
        _WARN,
        "{org} has lost a part of its memory and gets it back from its peers, since {since}.",
        "It performs no act of authority until all have answered and the directory here is as new "
        "as theirs: put the newest edition in place. See: gateway recovery show",
    ),
    Code.DISK_FULL: Meaning(
        _FAIL,
        "The disk of the store is full ({free} free).",
        "Make room; a node that runs goes on by itself.",
    ),
    Code.DISK_FILLS: Meaning(_WARN, "The disk of the store has {free} left.", "Make room in time."),
    Code.BUS_AWAY: Meaning(
        _FAIL,
        "There is no link to the broker{what}.",
        "Check [bus], and that the broker runs. Mail waits in the store meanwhile.",
    ),
    Code.BROKER_TOO_OLD: Meaning(
        _FAIL,
        "The broker's server {server} is nats-server {version}, which may lose mail that it "
        "acknowledged.",
        "Install nats-server {least} or newer.",
    ),
    Code.BROKER_LAZY_SYNC: Meaning(
        _FAIL,
        "The broker's server {server} acknowledges mail before its disk has it.",
        "Set sync_interval: always in its jetstream section and restart it.",
    ),
    Code.BROKER_SILENT: Meaning(
        _FAIL,
        "The broker does not say how it keeps mail: nobody answers on {subject}.",
        "Give it the accounts of deploy/nats-server.conf, and this node the permissions that "
        "`gateway config broker-user` prints.",
    ),
    Code.STREAM_UNSAFE: Meaning(
        _FAIL,
        "The stream {stream} would lose, copy or refuse mail: {what}.",
        "Delete the stream; the nodes make it anew and send again what has no receipt.",
    ),
    Code.CLOCK_BEHIND: Meaning(
        _FAIL,
        "The clock is {seconds} s behind the latest moment in the store.",
        "Set the clock. The order of mail does not depend on it; deadlines and keys do.",
    ),
    Code.CLOCK_JUMPED: Meaning(
        _WARN, "The clock jumped by {seconds} s while the node ran.", "See what sets the clock."
    ),
    Code.DEAD_LETTERS: Meaning(
        _FAIL,
        "{count} dead letters wait for a decision, the oldest since {since}.",
        "List them, then take each up again or give it up.",
    ),
    Code.EVENTS_PARKED: Meaning(
        _WARN,
        "{count} events wait for something before them, the oldest since {since}.",
        "They take effect by themselves; one that waits long becomes a dead letter.",
    ),
    Code.MAIL_HELD_BACK: Meaning(
        _WARN,
        "{count} events cannot be sent: their receiver or sender has no valid key.",
        "See which: the log says lane.held_back. Have the directory's authority enter a key.",
    ),
    Code.MAIL_UNANSWERED: Meaning(
        _WARN,
        "{count} messages have no receipt, the oldest of {since}.",
        "They are sent again by themselves. Ask the receiver's operator whether its node runs.",
    ),
    Code.NODE_AWAY: Meaning(
        _WARN, "The node does not run at {address}.", "Start it: gateway serve"
    ),
    Code.NODE_NOT_SERVING: Meaning(
        _FAIL,
        "The running node says NOT_SERVING for {parts}.",
        "The lines above say why; its log has the codes.",
    ),
}
"""What every code means."""


@dataclass(frozen=True)
class Finding:
    """One thing found out about one part. `facts` fill the places of the sentence."""

    part: Part
    code: Code = Code.GOOD
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return MEANINGS[self.code].severity

    @property
    def sentence(self) -> str:
        """What was found, in English."""
        return MEANINGS[self.code].sentence.format_map(self.facts)

    @property
    def advice(self) -> str:
        """What to do about it, in English; empty when there is nothing to do."""
        return MEANINGS[self.code].advice.format_map(self.facts)


def good(part: Part, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(part, Code.GOOD, {"what": what})
