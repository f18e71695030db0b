"""A look at the broker from outside a running node: judged as a node does, and nothing is made."""

import asyncio
import ssl

import nats.errors
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from gateway.bus.address import BrokerAddress
from gateway.bus.broker_check import UnsafeBroker, ask_servers, judge, judge_link
from gateway.bus.link import dial, drop, keep_log_quiet
from gateway.bus.streams import MAIL_STREAM, StreamLimits, stream_info, unsafe_fields
from gateway.ports.condition import Code, Finding, Part, good


async def look_at_broker(address: BrokerAddress, limits: StreamLimits) -> Finding:
    """Try the servers one after the other and judge the broker behind the first that answers.

    Raises OSError when the authority's certificate cannot be read.
    """
    keep_log_quiet()
    tls = ssl.create_default_context(cafile=str(address.ca_file))
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    why = ""
    for url in address.urls:
        client = Client()
        try:
            async with asyncio.timeout(address.tries):
                await dial(client, address, url, tls, _heard, _heard)
                return await _judged(client, address, limits)
        except UnsafeBroker as error:
            return error.finding
        except (nats.errors.Error, OSError, ValueError) as error:
            why = f" ({type(error).__name__})"
        finally:
            await drop(client)
    return Finding(Part.BUS, Code.BUS_AWAY, {"what": why})


async def _judged(client: Client, address: BrokerAddress, limits: StreamLimits) -> Finding:
    judge_link(client)
    js = client.jetstream(domain=address.domain or None, timeout=address.answer)
    try:
        found = (await stream_info(js, MAIL_STREAM)).config
    except NotFoundError:
        found = None  # the first node to come makes it
    if found is not None and (wrong := unsafe_fields(found, limits)):
        raise UnsafeBroker(Code.STREAM_UNSAFE, stream=MAIL_STREAM, what="+".join(wrong))
    judge(await ask_servers(client))
    return good(Part.BUS, "the broker answers, and is safe for mail")


async def _heard(*_anything: object) -> None:
    """Take the client library's word for what the call itself raises."""
