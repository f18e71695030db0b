"""One sentence for each fact, as an officer's case file would have it; codes only, no person."""

from gateway.service.sentences import absences, cases, letters, placements, registers, retrieval
from gateway.service.sentences.wording import Pair, Sentences
from gateway.v1.event_pb2 import Event

_SENTENCES: Sentences = {
    **absences.SENTENCES,
    **cases.SENTENCES,
    **registers.SENTENCES,
    **letters.SENTENCES,
    **retrieval.SENTENCES,
    **placements.SENTENCES,
}


def summary(event: Event) -> Pair:
    """Return one sentence on the event in English and in Chinese."""
    which = event.WhichOneof("body")
    if which is None:
        return "", ""
    return _SENTENCES[which](getattr(event, which))
