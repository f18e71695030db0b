"""The floor: the least that a letter can cost on the gateway's own parts. A ceiling, no design.

    client -(gRPC)-> sender: check, sign (Ed25519), SQLite WAL FULL {case, outbox} -> answer
    sender -(JetStream, sync always)-> receiver: verify, SQLite inbox, signed receipt
    receiver -(JetStream)-> sender: verify, mark the cases done

It has no TLS, identity, policy, sealing, vault, titles, lanes or repetition, and forgets what it
was doing when it is killed. Two kinds: `letters`, one for each call, published one by one; `bulk`,
fifty for each call, published as atomic batches.

Each role is a process: `python -m bench.floor ROLE DIRECTORY BROKER PORT KIND`, and the client
(`bench.floor_client`).
"""

import asyncio
import json
import sqlite3
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import nats
import uvloop
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from gateway.v1 import letter_pb2

LETTERS, BULK = "letters", "bulk"
STREAMS = ("LETTERS", "RECEIPTS")
"""The streams, each with the subjects below its own name; whoever starts the broker makes them."""

_SENDER_SEED, _RECEIVER_SEED = b"s" * 32, b"r" * 32
_ID_BYTES = 32
_MOST_IN_A_COMMIT = 500
_MOST_IN_A_BATCH = 900
_FETCH = 256
_LINGER_SECONDS = 0.005  # lets the next batch fill

_SENDER_TABLES = """
CREATE TABLE cases (id TEXT PRIMARY KEY, state INTEGER NOT NULL);
CREATE TABLE outbox (id TEXT PRIMARY KEY, body BLOB NOT NULL);
"""
_RECEIVER_TABLES = "CREATE TABLE inbox (id TEXT PRIMARY KEY, body BLOB NOT NULL);"

Signed = tuple[str, bytes]
"""Identifier, and signature followed by identifier and letter."""


def _database(path: Path, tables: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.executescript(
        "PRAGMA journal_mode=wal; PRAGMA synchronous=full; PRAGMA wal_autocheckpoint=4000;" + tables
    )
    return database


def _sign(key: bytes, message: bytes) -> bytes:
    return bytes(crypto_sign(message, key))  # the signature, then the message


class _Bus:
    """JetStream, in the two ways of publishing that are compared."""

    def __init__(self, client: Client, kind: str) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream()
        self._atomic = kind == BULK

    async def publish(self, subject: str, items: Sequence[bytes]) -> None:
        """Return when the broker has all items on disk."""
        if not self._atomic:
            sent = [await self._js.publish_async(subject, item) for item in items]
            await asyncio.gather(*sent)
            return
        for start in range(0, len(items), _MOST_IN_A_BATCH):
            await self._batch(subject, items[start : start + _MOST_IN_A_BATCH])

    async def _batch(self, subject: str, items: Sequence[bytes]) -> None:
        batch = uuid.uuid4().hex
        for number, item in enumerate(items[:-1], 1):
            place = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            await self._client.publish(subject, item, headers=place)
        last = {
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(len(items)),
            "Nats-Batch-Commit": "1",
        }
        answer = await self._client.request(subject, items[-1], timeout=10, headers=last)
        assert "error" not in json.loads(answer.data)

    async def batches(self, stream: str) -> AsyncIterator[list[Msg]]:
        """Yield what arrives; acknowledging the last of a batch acknowledges all of it."""
        config = ConsumerConfig(ack_policy=AckPolicy.ALL, max_ack_pending=50_000)
        source = await self._js.pull_subscribe(
            f"{stream}.>", durable="floor", stream=stream, config=config
        )
        while True:
            try:
                yield await source.fetch(_FETCH, timeout=5)
            except TimeoutError:
                continue
            await asyncio.sleep(_LINGER_SECONDS)


class _Sender:
    """Takes letters, sends them, and counts those whose receipt is committed."""

    def __init__(self, bus: _Bus, database: sqlite3.Connection) -> None:
        self._bus = bus
        self._database = database
        self._public = crypto_sign_seed_keypair(_RECEIVER_SEED)[0]
        self._key = crypto_sign_seed_keypair(_SENDER_SEED)[1]
        self._to_commit: asyncio.Queue[tuple[list[Signed], list[str], asyncio.Future[None]]]
        self._to_commit = asyncio.Queue()
        self._to_send: asyncio.Queue[bytes] = asyncio.Queue()
        self.done = 0

    async def put(self, letters: Sequence[letter_pb2.Letter]) -> None:
        """Sign and keep the letters; return when they are on disk."""
        await self._commit([self._signed(letter) for letter in letters], [])

    def _signed(self, letter: letter_pb2.Letter) -> Signed:
        if not (letter.sender and letter.recipient and letter.title and letter.kind):
            raise ValueError("a letter lacks something")
        identifier = uuid.uuid4().hex
        return identifier, _sign(self._key, identifier.encode() + letter.SerializeToString())

    async def _commit(self, letters: list[Signed], receipted: list[str]) -> None:
        kept = asyncio.get_running_loop().create_future()
        self._to_commit.put_nowait((letters, receipted, kept))
        await kept

    def _write(self, letters: Sequence[Signed], receipted: Sequence[str]) -> None:
        write = self._database.executemany
        self._database.execute("BEGIN IMMEDIATE")
        write("INSERT INTO cases VALUES (?, 0)", [(identifier,) for identifier, _ in letters])
        write("INSERT INTO outbox VALUES (?, ?)", letters)
        write("UPDATE cases SET state = 1 WHERE id = ?", [(one,) for one in receipted])
        write("DELETE FROM outbox WHERE id = ?", [(one,) for one in receipted])
        self._database.execute("COMMIT")

    async def commit_groups(self) -> None:
        """Put whatever waits into one transaction, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            letters, receipted, kept = await self._to_commit.get()
            waiting = [kept]
            while len(letters) < _MOST_IN_A_COMMIT and not self._to_commit.empty():
                more, others, kept = self._to_commit.get_nowait()
                letters, receipted = letters + more, receipted + others
                waiting.append(kept)
            await loop.run_in_executor(None, self._write, letters, receipted)
            self.done += len(receipted)
            for _, body in letters:
                self._to_send.put_nowait(body)
            for kept in waiting:
                kept.set_result(None)

    async def relay(self) -> None:
        """Publish what was committed, for ever."""
        while True:
            items = [await self._to_send.get()]
            while len(items) < _MOST_IN_A_BATCH and not self._to_send.empty():
                items.append(self._to_send.get_nowait())
            await self._bus.publish("LETTERS.floor", items)

    async def take_receipts(self) -> None:
        """Mark what was receipted, for ever."""
        async for messages in self._bus.batches("RECEIPTS"):
            receipted: list[str] = []
            for message in messages:
                identifiers = crypto_sign_open(message.data, self._public).decode()
                receipted += [
                    identifiers[start : start + _ID_BYTES]
                    for start in range(0, len(identifiers), _ID_BYTES)
                ]
            await self._commit([], receipted)
            await messages[-1].ack()


async def _serve_sender(directory: Path, bus: _Bus, port: int) -> None:
    sender = _Sender(bus, _database(directory / "sender.db", _SENDER_TABLES))

    async def put(letter: letter_pb2.Letter, _context: object) -> bytes:
        await sender.put([letter])
        return b""

    async def put_many(letters: letter_pb2.ListLettersResponse, _context: object) -> bytes:
        await sender.put(letters.letters)
        return b""

    async def done(_request: bytes, _context: object) -> bytes:
        return str(sender.done).encode()

    handler = grpc.unary_unary_rpc_method_handler
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Put": handler(put, request_deserializer=letter_pb2.Letter.FromString),
        "PutMany": handler(
            put_many, request_deserializer=letter_pb2.ListLettersResponse.FromString
        ),
        "Done": handler(done),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("floor.Floor", methods),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    _say("ready")
    await asyncio.gather(sender.commit_groups(), sender.relay(), sender.take_receipts())


async def _serve_receiver(directory: Path, bus: _Bus, _port: int) -> None:
    database = _database(directory / "receiver.db", _RECEIVER_TABLES)
    public = crypto_sign_seed_keypair(_SENDER_SEED)[0]
    key = crypto_sign_seed_keypair(_RECEIVER_SEED)[1]
    loop = asyncio.get_running_loop()
    _say("ready")
    async for messages in bus.batches("LETTERS"):
        rows = [_received(message.data, public) for message in messages]
        await loop.run_in_executor(None, _keep, database, rows)
        receipt = _sign(key, "".join(identifier for identifier, _ in rows).encode())
        await bus.publish("RECEIPTS.floor", [receipt])
        await messages[-1].ack()


def _received(data: bytes, public: bytes) -> Signed:
    letter = crypto_sign_open(data, public)
    letter_pb2.Letter.FromString(letter[_ID_BYTES:])
    return letter[:_ID_BYTES].decode(), data


def _keep(database: sqlite3.Connection, rows: Sequence[Signed]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT OR IGNORE INTO inbox VALUES (?, ?)", rows)
    database.execute("COMMIT")


def _say(word: str) -> None:
    print(json.dumps(word), flush=True)  # noqa: T201


async def main(role: str, directory: Path, broker: str, port: int, kind: str) -> None:
    """Be one role until told to end."""
    client = await nats.connect(broker, pending_size=64 * 1024 * 1024)
    # It ends when its standard input does, as the client does.
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serve = _serve_sender if role == "sender" else _serve_receiver
    running = asyncio.create_task(serve(directory, _Bus(client, kind), port))
    await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]))
