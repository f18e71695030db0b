"""Where the broker is and who this node is to it. Pure."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gateway.bus.node_keys import public_nkey
from gateway.bus.permissions import inbox_prefix
from gateway.bus.subjects import checked_token


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who this node is to it.

    Attributes:
        urls: `tls://host:port`, one or several of one cluster.
        node: the node's name, a subject token; its inboxes lie under `_INBOX_<node>`.
        ca_file: PEM file with the authority that the broker's certificate must come from.
        seed: the node's nkey seed (`SU...`), secret.
        tries: seconds before a connection attempt is given up.
        pause: seconds between attempts.
        answer: seconds to wait for any answer of the broker.
        again: seconds between looks at whether the broker is still safe, and of patience with one
            that is not.
        domain: JetStream domain of the broker, needed when the server at `urls` is a leaf of it.
    """

    urls: tuple[str, ...]
    node: str
    ca_file: Path
    seed: str = field(repr=False)
    tries: float = 5.0
    pause: float = 0.25
    answer: float = 5.0
    again: float = 20.0
    domain: str = ""

    def __post_init__(self) -> None:
        """Check the form, so that no later attempt fails for it.

        Raises:
            ValueError: an address without TLS, host or port, a bad node name, or no user's seed.
        """
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme != "tls" or not parts.hostname or not parts.port:
                raise ValueError("The broker's address must be written tls://host:port.")
        if not self.urls:
            raise ValueError("At least one address of the broker is needed.")
        if self.domain:
            checked_token(self.domain)
        inbox_prefix(self.node)
        public_nkey(self.seed)
