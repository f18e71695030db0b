"""Follows the facts of a division over NATS, proves that none is missing, and heals what is.

follow_facts.py DIRECTORY ORGANISATION DIVISION KIND BROKER_URL, as in dev 53/sup 5306 TITLE_GRANTED
tls://127.0.0.1:4222; the organisation's nkey seed lies in DIRECTORY/clients/53_sup.nkey.
"""

import asyncio
import hashlib
import ssl
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import grpc
import nats
from nats.js.api import AckPolicy, ConsumerConfig

from gateway.crypto.directory import SignedDirectory
from gateway.crypto.verifier import DirectoryVerifier
from gateway.domain.fact_chain import FactChain, FactVerdict, judge_notice
from gateway.domain.payload_types import EVENT, FACT_NOTICE
from gateway.v1 import event_pb2, fact_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope

ROOT, ORGANISATION, DIVISION, KIND, URL = Path(sys.argv[1]), *sys.argv[2:6]
STEM = ORGANISATION.replace("/", "_")
TIERS = [DIVISION[a:b] for a, b in ((0, 2), (2, 4), (4, 6), (6, 9)) if DIVISION[a:b]]
DURABLE = f"fact_{STEM}_{KIND.lower()}_{'_'.join(TIERS)}"
FILTER = f"dx.v1.fact.{KIND.lower()}.{'.'.join(TIERS)}.>"
directory = SignedDirectory(ROOT / "directory.bin", (ROOT / "authority.pub.pem").read_bytes())
chains: dict[str, FactChain] = {}  # a real subscriber keeps them with what it makes of the facts


def verified(envelope: SignedEnvelope, kind: str, source: str) -> bytes:
    """Return the signed bytes once the source has really signed them."""
    found = DirectoryVerifier(directory).verify(envelope, kind, datetime.now(UTC))
    if found.refusal or str(found.signer) != source:
        sys.exit(f"not signed by {source}: {found.steps[-1].detail}")
    return envelope.payload


def take(envelope: SignedEnvelope, source: str) -> None:
    """Take one notice of a source, after those before it."""
    payload = verified(envelope, FACT_NOTICE, source)
    notice = fact_pb2.FactNotice.FromString(payload)
    if (notice.source, event_pb2.EventType.Name(notice.type)) != (source, f"EVENT_TYPE_{KIND}"):
        sys.exit(f"{source} published something else than {KIND} of its own")
    chain, digest = chains.get(source, FactChain()), hashlib.sha256(payload).hexdigest()
    life, previous = notice.incarnation, notice.previous_notice_hash.hex()
    verdict = judge_notice(chain, notice.sequence, previous, digest, life)
    if verdict is FactVerdict.GAP:
        after = chain.heard(life).sequence  # 0 where the source begins its chain anew
        print(f"{source}: {after + 1} to {notice.sequence - 1} are missing", flush=True)
        for missing in replayed(notice, after, notice.sequence - 1):
            take(missing, source)
        take(envelope, source)
    elif verdict is FactVerdict.TAKE:
        event = event_pb2.Event.FromString(verified(notice.event, EVENT, source))
        chains[source] = chain.heard(life).advanced(digest)
        print(f"{source}: {notice.sequence} is {event.event_id}", flush=True)
    elif verdict is FactVerdict.FORKED:
        sys.exit(f"{source} has two histories; raise it with the source")


def replayed(like: fact_pb2.FactNotice, after: int, last: int) -> list[SignedEnvelope]:
    """Read notices again at the node that is home to the source."""
    request = fact_pb2.ReplayFactsRequest(
        source=like.source, type=like.type, after_sequence=after, last_sequence=last
    )
    home = ROOT / "clients" / f"{like.source.replace('/', '_')}.toml"
    pem = [
        (ROOT / n).read_bytes() for n in ("ca.pem", f"clients/{STEM}.key", f"clients/{STEM}.crt")
    ]
    credentials = grpc.ssl_channel_credentials(*pem)
    with grpc.secure_channel(tomllib.loads(home.read_text())["target"], credentials) as channel:
        pages = channel.unary_stream(
            "/gateway.v1.FactService/ReplayFacts",
            fact_pb2.ReplayFactsRequest.SerializeToString,
            fact_pb2.ReplayFactsResponse.FromString,
        )(request, timeout=30)
        return [notice for page in pages for notice in page.notices]


async def main() -> None:
    """Follow for ever. What was not acknowledged comes again; what was taken is passed over."""
    client = await nats.connect(
        URL,
        tls=ssl.create_default_context(cafile=str(ROOT / "ca.pem")),
        nkeys_seed_str=(ROOT / "clients" / f"{STEM}.nkey").read_text().strip(),
        inbox_prefix=f"_INBOX_follower_{STEM}",
    )
    js = client.jetstream()
    config = ConsumerConfig(DURABLE, DURABLE, filter_subject=FILTER, ack_policy=AckPolicy.EXPLICIT)
    await js.add_consumer("FACT", config)
    source = await js.pull_subscribe_bind(DURABLE, "FACT")
    while True:
        try:
            messages = await source.fetch(100, timeout=5)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            claimed = (message.headers or {})["ce-source"]  # what it claims, the signature proves
            take(SignedEnvelope.FromString(message.data), claimed.partition("/org/")[2])
            await message.ack()


asyncio.run(main())
