"""Audits of what is signed: messages, receipts and facts are what their authors signed, once."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from gateway.codec import enums
from gateway.domain.facts import FactKind
from gateway.domain.payload_types import EVENT, MESSAGE, RECEIPT
from gateway.ports.signing import Verifier
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from gateway.v1.event_pb2 import Event
from tests.faults.findings import Findings, Invariant


def _receiver_and_case(event: Event) -> str:
    return f"{event.suspected_dropout_submitted} {event.cases[0].case_id}"


ONCE: dict[FactKind, Callable[[Event], str]] = {
    FactKind.ABSENCE_REPORTED: lambda event: event.subject_id,
    FactKind.SUSPECTED_DROPOUT_SUBMITTED: _receiver_and_case,
    FactKind.DROPOUT_CONFIRMED: lambda event: event.cases[0].case_id,
    FactKind.LETTER_DISPATCHED: lambda event: event.letter_dispatched.letter.letter_id,
    FactKind.LETTER_REGISTERED: lambda event: event.letter_registered.letter_id,
    FactKind.LETTER_LINES_ACCEPTED: lambda event: str(event.letter_lines_accepted),
    FactKind.TITLE_GRANTED: lambda event: str(event.title_granted),
    FactKind.RETRIEVAL_ORDER_ISSUED: lambda event: event.cases[0].case_id,
    FactKind.HUKOU_ASSERTED: lambda event: event.causation_id or event.event_id,
    FactKind.PLATFORM_ENTRY_RECORDED: lambda event: event.causation_id or event.event_id,
}
"""What a source states once: by kind, what the statement is about."""


class SignedChecks:
    """Checks rows of the stores against the keys of the directory."""

    def __init__(self, verifier: Verifier, now: Callable[[], datetime]) -> None:
        self._verifier = verifier
        self._now = now

    def _signed(
        self, findings: Findings, data: bytes, kind: str, author: str, breaks: Invariant
    ) -> bytes:
        """Return the payload; note a finding unless the author signed these very bytes."""
        envelope = SignedEnvelope.FromString(data)
        verification = self._verifier.verify(envelope, kind, self._now())
        findings.expect(
            verification.refusal is None and str(verification.signer) == author,
            breaks,
            f"{kind} of {author} is not what it signed: {verification.refusal}",
        )
        return envelope.payload

    def sent(self, findings: Findings, sent: Sequence[Any]) -> None:
        """I3 and I6 at the sender: signed as it says, numbered without holes, chained."""
        lanes: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
        for row in sent:
            lanes[row.sender, row.receiver, row.incarnation].append(row)
        for lane, rows in lanes.items():
            rows.sort(key=lambda row: row.sequence)
            numbers = [row.sequence for row in rows]
            findings.expect(
                numbers == list(range(1, len(rows) + 1)), Invariant.LANE, f"holes in {lane}"
            )
            head = ""
            for row in rows:
                payload = self._signed(
                    findings, row.envelope, MESSAGE, row.sender, Invariant.FORGERY
                )
                message = message_pb2.Message.FromString(payload)
                header = message_pb2.MessageHeader.FromString(message.header)
                stated = (header.receiver, header.lane_incarnation, header.lane_sequence)
                findings.expect(
                    stated == (row.receiver, row.incarnation, row.sequence)
                    and header.previous_message_hash.hex() == head
                    and row.digest == hashlib.sha256(payload).hexdigest(),
                    Invariant.LANE,
                    f"message {row.sequence} of {lane} does not follow",
                )
                head = row.digest

    def receipts(self, findings: Findings, receipts: Sequence[Any]) -> None:
        """I5: signed by the receiver, one form for one identifier in all stores."""
        forms: dict[str, bytes] = {}
        for row in receipts:
            if forms.setdefault(row.receipt_id, row.envelope) != row.envelope:
                findings.expect(False, Invariant.EVIDENCE, f"receipt {row.receipt_id} has changed")
        for data in forms.values():
            stated = message_pb2.Receipt.FromString(SignedEnvelope.FromString(data).payload)
            self._signed(findings, data, RECEIPT, stated.receiver, Invariant.EVIDENCE)

    def facts(self, findings: Findings, logged: Sequence[Any]) -> None:
        """I2 and I3 of facts: stated once, and the same bytes in every store."""
        forms: dict[str, bytes] = {}
        stated: Counter[tuple[str, str, str]] = Counter()
        for row in logged:
            if forms.setdefault(row.event_id, row.envelope) != row.envelope:
                findings.expect(False, Invariant.FORGERY, f"event {row.event_id} has changed")
            if row.org != row.source:
                continue
            payload = self._signed(findings, row.envelope, EVENT, row.source, Invariant.FORGERY)
            event = Event.FromString(payload)
            kind = enums.maybe(FactKind, event.type)
            if kind in ONCE:
                stated[row.org, kind.name, ONCE[kind](event)] += 1
        findings.none(
            (key for key, count in stated.items() if count > 1), Invariant.TWICE, "stated twice"
        )
