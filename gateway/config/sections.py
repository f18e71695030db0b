"""The sections of a node's settings. What a field's docstring says is shown when it is wrong."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.config.values import (
    AdapterSetting,
    Address,
    BusUrl,
    FilePath,
    JetStreamDomain,
    KeyUri,
    LoopbackAddress,
    Nkey,
    NodeName,
    Organisation,
    StoreUrl,
    split_address,
)


class Section(BaseModel):
    """A table of the file: no key that is not listed, no change once read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class NodeSection(Section):
    """`[node]`: the process itself."""

    name: NodeName = Field(examples=["wuhua"])
    """Name of this node in the directory and on the broker, 1 to 32 of a-z, 0-9 and hyphen."""
    listen: Address = "127.0.0.1:50051"
    """Address of the gRPC endpoint, HOST:PORT; port 0 takes any free one."""
    reflection: bool = False
    """Whether callers may ask the endpoint for its contract (gRPC reflection)."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        "INFO"
    )
    """From which level on log lines are written."""
    announce: FilePath | None = Field(default=None, examples=["state/announce.json"])
    """JSON file that the node writes with its real address once it listens."""
    drain_seconds: float = Field(default=10.0, ge=0, le=600)
    """How long calls under way may still take after SIGTERM, seconds."""

    @property
    def host(self) -> str:
        """Host part of `listen`, without brackets."""
        return split_address(self.listen)[0]

    @property
    def port(self) -> int:
        """Port of `listen`; 0 for any free one."""
        return split_address(self.listen)[1]


class TlsSection(Section):
    """`[tls]`: mutual TLS of the gRPC endpoint."""

    ca: FilePath = Field(examples=["ca.pem"])
    """PEM file of the authority whose client certificates are accepted."""
    certificate: FilePath = Field(examples=["server.crt"])
    """PEM file of this node's server certificate (chain)."""
    key: FilePath = Field(examples=["server.key"])
    """PEM file of its private key, mode 0600."""


class DirectorySection(Section):
    """`[directory]`: who takes part, signed by the authority."""

    file: FilePath = Field(examples=["directory.bin"])
    """The signed directory."""
    authority: FilePath = Field(examples=["authority.pub.pem"])
    """PEM file of the public key with which the directory must be signed."""
    reload_seconds: float = Field(default=1.0, gt=0, le=3600)
    """How often the file is looked at for a newer edition, seconds."""


class StoreSection(Section):
    """`[store]`: the node's memory."""

    url: StoreUrl = Field(examples=["sqlite:///state/node.db"], repr=False)
    """sqlite:///PATH (relative to this file) or postgresql+psycopg://USER:PASSWORD@HOST/NAME."""
    vault_key: FilePath = Field(examples=["vault.key"])
    """File of mode 0600 with the 64 hex digits that key the vault's blind index."""
    state: FilePath | None = Field(default=None, examples=["state"])
    """Directory for the start counter, outside every backup; absent, it lies beside an SQLite file."""


class BundledNode(Section):
    """One user of the bundled broker."""

    name: NodeName = Field(examples=["zhenxiong"])
    """Name of the node, as in its own `[node] name`."""
    nkey: Nkey = Field(examples=["UABC..."])
    """Its public nkey, the content of its nkey.pub."""
    organisations: tuple[Organisation, ...] = Field(examples=[["530627/edu"]])
    """The organisations at home on it: whose mail it may fetch."""


class BundledFollower(Section):
    """An organisation that follows facts over NATS, as it is entitled to."""

    organisation: Organisation = Field(examples=["53/sup"])
    """The organisation. What it may follow stands in the directory."""
    nkey: Nkey = Field(examples=["UABC..."])
    """Its public nkey."""


class BundledBroker(Section):
    """`[bus.bundled]`: a broker that this node starts and stops itself."""

    directory: FilePath = Field(examples=["broker"])
    """Where the broker keeps its mail, configuration and log."""
    listen: LoopbackAddress = "127.0.0.1:0"
    """Loopback address of the broker; port 0 takes any free one."""
    certificate: FilePath = Field(examples=["broker/server.crt"])
    """PEM file of the broker's certificate."""
    key: FilePath = Field(examples=["broker/server.key"])
    """PEM file of its private key, mode 0600."""
    nodes: tuple[BundledNode, ...] = Field(examples=[[]], min_length=1)
    """Every node that may connect, this one included."""
    followers: tuple[BundledFollower, ...] = Field(default=(), examples=[[]])
    """Organisations whose own systems follow facts over NATS."""

    @property
    def port(self) -> int:
        """Port of `listen`; 0 for any free one."""
        return split_address(self.listen)[1]


class BusSection(Section):
    """`[bus]`: the NATS broker that carries the mail."""

    url: BusUrl | None = Field(default=None, examples=["tls://127.0.0.1:4222"])
    """Address of the broker, tls://HOST:PORT; several of one cluster are parted by commas."""
    ports_file: FilePath | None = Field(default=None, examples=["../broker/address.json"])
    """JSON file with the `url` of a bundled broker that chose a free port."""
    ca: FilePath = Field(examples=["ca.pem"])
    """PEM file of the authority that the broker's certificate must come from."""
    nkey_seed: FilePath = Field(examples=["nkey.seed"])
    """File of mode 0600 with this node's nkey seed."""
    domain: JetStreamDomain | None = Field(default=None, examples=["gateway"])
    """JetStream domain of the broker, where `url` names a leaf server that passes mail on to it."""
    replicas: int = Field(default=1, ge=1, le=5)
    """Copies of the mail stream in a cluster; 1 for a single broker."""
    bundled: BundledBroker | None = None
    """The broker that this node starts itself; absent when there is one elsewhere."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of `url`; empty when they come from `ports_file` or the bundled broker."""
        return tuple(url.strip() for url in (self.url or "").split(",") if url.strip())

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.url or self.ports_file or self.bundled):
            raise ValueError("Say where the broker is: url, ports_file or a table [bus.bundled]")
        if self.domain and self.bundled:
            raise ValueError("The bundled broker has no domain; remove domain, or [bus.bundled]")
        return self


class HomeOrganisation(Section):
    """`[[organisations]]`: one organisation at home on this node."""

    organisation: Organisation = Field(examples=["530102/edu"])
    """Its address, division/role, or division/sch/identifier for a school."""
    sign: tuple[KeyUri, ...] = Field(min_length=1, examples=[["file:keys/530102_edu.sign.pem"]])
    """URIs of its signing keys."""
    seal: tuple[KeyUri, ...] = Field(min_length=1, examples=[["file:keys/530102_edu.seal.pem"]])
    """URIs of its sealing keys; old ones stay as long as mail sealed to them may arrive."""
    adapter: str | None = Field(default=None, min_length=1, examples=["public_security"])
    """Entry point (group `gateway.adapters`) of the adapter to the agency's own system, if any."""
    settings: dict[str, AdapterSetting] = Field(
        default_factory=dict, examples=[{"url": "sqlite:///register.db"}], repr=False
    )
    """The adapter's own settings. A path must begin with ./ or ../ to be relative to this file."""

    @model_validator(mode="after")
    def _settings_of_something(self) -> Self:
        if self.settings and self.adapter is None:
            raise ValueError("There are settings but no adapter; name the adapter, or drop them")
        return self


class PolicySection(Section):
    """`[policy]`: what the regulation leaves to the place."""

    absence_threshold: int = Field(default=3, ge=1, le=3)
    """Unexcused school days from which on a school must report; art. 7 allows three at most."""
    absence_cumulative_days: int | None = Field(default=None, ge=1, examples=[30])
    """Count absences within so many days; absent, only consecutive school days count."""


class NodeConfig(Section):
    """Everything that one node is told."""

    node: NodeSection
    """The process itself."""
    tls: TlsSection
    """Mutual TLS of the gRPC endpoint."""
    directory: DirectorySection
    """Who takes part."""
    store: StoreSection
    """The node's memory."""
    bus: BusSection
    """The broker."""
    organisations: tuple[HomeOrganisation, ...] = Field(
        min_length=1, examples=[[{"organisation": "530102/edu"}]]
    )
    """The organisations at home here."""
    policy: PolicySection = PolicySection()
    """What the regulation leaves to the place."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        at_home = [home.organisation for home in self.organisations]
        wrong = [
            f"{name} stands twice under [[organisations]]; keep one"
            for name in sorted(set(at_home))
            if at_home.count(name) > 1
        ]
        if self.bus.bundled is not None:
            users = {node.name: node for node in self.bus.bundled.nodes}
            if len(users) < len(self.bus.bundled.nodes):
                wrong.append("bus.bundled.nodes has two entries of one name; give each its own")
            me = users.get(self.node.name)
            missing = sorted(set(at_home).difference(me.organisations if me else at_home))
            if me is None:
                wrong.append(f"bus.bundled.nodes lacks this node itself; add {self.node.name}")
            elif missing:
                wrong.append(
                    f"bus.bundled.nodes lists {me.name} without {', '.join(missing)}; add what "
                    "is at home here, or its mail is never fetched"
                )
        if wrong:
            raise ValueError("\n".join(wrong))
        return self
