"""Bytes that nobody signed, of every malicious form: unauthentic, without a stumble."""

import pytest

from gateway.domain.errors import Reason
from gateway.domain.payload_types import EVENT, MESSAGE
from gateway.service.arrivals import ArrivedMessage, Unauthentic, read_arrival
from gateway.v1 import message_pb2
from gateway.v1.envelope_pb2 import SignedEnvelope
from tests.delivery.forge import Forge
from tests.world.estate import SHUIFU, WUHUA
from tests.world.province import Province

DEEP = 10_000
MANY = 100_000
_GROUP, _END, _LENGTH = 3, 4, 2  # wire types


def tag(field: int, kind: int) -> bytes:
    """Return the key of a field below 16."""
    return bytes([field << 3 | kind])


MALFORMED = {
    "nested groups": tag(15, _GROUP) * DEEP + tag(15, _END) * DEEP,
    "groups without end": tag(15, _GROUP) * DEEP,
    "a length of 2 GiB": tag(1, _LENGTH) + b"\xff\xff\xff\xff\x07",
    "a length beyond any": tag(1, _LENGTH) + b"\xff" * 10,
    "an endless varint": tag(3, 0) + b"\xff" * 100,
    "many signatures": (tag(3, _LENGTH) + b"\x00") * MANY,
    "an end that was never begun": tag(1, _END),
    "field number 0": b"\x00\x00",
    "a type that is no UTF-8": tag(2, _LENGTH) + b"\x02\xc3\x28",
    "NUL and bidi in the type": SignedEnvelope(
        payload=b"x", payload_type="application/\0\u202e"
    ).SerializeToString(),
}


@pytest.mark.fault("M4")
async def test_no_bit_of_a_message_can_be_changed(province: Province) -> None:
    """All positions and all bits of a small message: set aside, each with its reason."""
    forge, receiver = Forge(province), province.node_of[WUHUA]
    data = forge.mail(SHUIFU, WUHUA, message_pb2.CarriedEvent()).data
    now = province.clock.now()
    assert isinstance(read_arrival(receiver.tools, WUHUA, data, now), ArrivedMessage)
    tried = 0
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            arrived = read_arrival(receiver.tools, WUHUA, bytes(changed), now)
            assert isinstance(arrived, Unauthentic), (place, bit)
            assert arrived.reason in Reason
            tried += 1
    assert tried == 8 * len(data)


@pytest.mark.fault("M8")
@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_bytes_are_set_aside(province: Province, name: str) -> None:
    """Whatever the form of rubbish: no envelope, or one that nobody signed."""
    arrived = read_arrival(
        province.node_of[WUHUA].tools, WUHUA, MALFORMED[name], province.clock.now()
    )
    assert isinstance(arrived, Unauthentic)
    assert arrived.reason is Reason.ENVELOPE_MALFORMED


@pytest.mark.fault("M8")
@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_content_of_a_certain_author_is_a_fault_of_its_message(
    province: Province, name: str
) -> None:
    """The same rubbish signed and sealed as an event: named in the message, which has its number."""
    forge = Forge(province)
    signed = province.node_of[SHUIFU].tools.signer.sign(SHUIFU, EVENT, MALFORMED[name])
    mail = forge.mail(SHUIFU, WUHUA, message_pb2.CarriedEvent(event=signed))
    arrived = read_arrival(province.node_of[WUHUA].tools, WUHUA, mail.data, province.clock.now())
    assert isinstance(arrived, ArrivedMessage)
    assert not arrived.events
    (fault,) = arrived.faults
    assert fault.reason in {Reason.PAYLOAD_INVALID, Reason.SIGNER_MISMATCH}


@pytest.mark.fault("M8")
@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_message_of_a_certain_author_is_set_aside(
    province: Province, name: str
) -> None:
    """Signed rubbish in place of a message: there is no number to answer under."""
    signer = province.node_of[SHUIFU].tools.signer
    signed = signer.sign(SHUIFU, MESSAGE, MALFORMED[name]).SerializeToString()
    arrived = read_arrival(province.node_of[WUHUA].tools, WUHUA, signed, province.clock.now())
    assert isinstance(arrived, Unauthentic)
