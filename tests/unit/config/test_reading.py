"""Reading a node's settings: complete, strict, and clear about everything that is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.config import ConfigFault, NodeConfig, load_config

GOOD = """
[node]
name = "wuhua"
[tls]
ca = "ca.pem"
certificate = "tls/server.crt"
key = "/etc/gateway/server.key"
[directory]
file = "../directory.bin"
authority = "authority.pub.pem"
[store]
url = "sqlite:///state/node.db?timeout=5"
vault_key = "vault.key"
[bus]
url = "tls://a:4222, tls://b:4222"
ca = "ca.pem"
nkey_seed = "nkey.seed"
[[organisations]]
organisation = "530102/edu"
sign = ["file:keys/a.pem", "pkcs11:token=x"]
seal = ["file:/etc/b.pem"]
[[organisations]]
organisation = "53/psb"
sign = ["file:c.pem"]
seal = ["file:d.pem"]
adapter = "public_security"
[organisations.settings]
url = "sqlite:///register.db"
mapping = "./map.toml"
province = "53"
page_size = 50
"""
NKEY = f"U{'A' * 55}"
BUNDLED = f"""
[bus.bundled]
directory = "broker"
certificate = "broker.crt"
key = "broker.key"
nodes = [{{ name = "wuhua", nkey = "{NKEY}", organisations = ["530102/edu", "53/psb"] }}]
"""


def read(directory: Path, content: str, **env: str) -> NodeConfig:
    """Read settings from a file with this content."""
    path = directory / "node.toml"
    path.write_text(content, "utf-8")
    return load_config(path, env)


def problems(directory: Path, content: str, **env: str) -> list[str]:
    """Return what is wrong with this content."""
    with pytest.raises(ConfigFault) as caught:
        read(directory, content, **env)
    return caught.value.problems


def test_defaults(tmp_path: Path) -> None:
    """What may be left out has the documented defaults."""
    config = read(tmp_path, GOOD)
    assert (config.node.host, config.node.port) == ("127.0.0.1", 50051)
    assert (config.node.log_level, config.node.drain_seconds) == ("INFO", 10.0)
    assert not config.node.reflection
    assert config.directory.reload_seconds == 1.0
    assert (config.bus.replicas, config.bus.bundled) == (1, None)
    assert (config.policy.absence_threshold, config.policy.absence_cumulative_days) == (3, None)


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the process runs, a relative path begins at the file; absolute ones stay."""
    monkeypatch.chdir("/")
    home = tmp_path / "etc"
    home.mkdir()
    config = read(home, GOOD)
    assert config.tls.certificate == home / "tls/server.crt"
    assert config.tls.key == Path("/etc/gateway/server.key")
    assert config.directory.file == tmp_path / "directory.bin"
    assert config.store.url == f"sqlite:///{home}/state/node.db?timeout=5"
    bureau, police = config.organisations
    assert bureau.sign == (f"file:{home}/keys/a.pem", "pkcs11:token=x")
    assert bureau.seal == ("file:/etc/b.pem",)
    assert police.settings == {
        "url": f"sqlite:///{home}/register.db",
        "mapping": str(home / "map.toml"),
        "province": "53",
        "page_size": "50",
    }


def test_several_brokers(tmp_path: Path) -> None:
    """The addresses of a cluster are parted by commas."""
    assert read(tmp_path, GOOD).bus.urls == ("tls://a:4222", "tls://b:4222")


def test_environment_wins(tmp_path: Path) -> None:
    """A twin in the environment wins over the file, and may fill what the file leaves out."""
    config = read(
        tmp_path,
        GOOD,
        GATEWAY__NODE__LISTEN="[::1]:0",
        GATEWAY__NODE__LOG_LEVEL="debug",
        GATEWAY__STORE__URL="postgresql+psycopg://u:p@db/gateway",
        GATEWAY__POLICY__ABSENCE_CUMULATIVE_DAYS="30",
        GATEWAY__ORGANISATIONS=(
            '[{"organisation": "530102/edu", "sign": ["file:x"], "seal": ["file:y"]}]'
        ),
        GATEWAY_PROFILE="not ours",
    )
    assert (config.node.host, config.node.port) == ("::1", 0)
    assert config.node.log_level == "DEBUG"
    assert config.store.url == "postgresql+psycopg://u:p@db/gateway"
    assert config.policy.absence_cumulative_days == 30
    (bureau,) = config.organisations
    assert bureau.sign == (f"file:{tmp_path}/x",)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Each problem has a line of its own: where, what is wrong, what to write."""
    content = (
        GOOD.replace('name = "wuhua"', 'nmae = "wuhua"')
        .replace("tls://a:4222", "nats://a:4222")
        .replace('organisation = "530102/edu"', 'organisation = "530102/edx"')
        .replace('ca = "ca.pem"\ncertificate', "certificate")
    )
    found = problems(
        tmp_path,
        content,
        GATEWAY__NODE__DRAIN_SECONDS="soon",
        GATEWAY__STORE__URI="x",
        GATEWAY__ORGANISATIONS__X="y",
        GATEWAY__BUS__BUNDLED="{",
    )
    places = [text.split()[0].rstrip(":") for text in found]
    assert places == [
        "GATEWAY__ORGANISATIONS__X",
        "node.name",
        "node.drain_seconds",
        "node.nmae",
        "tls.ca",
        "store.uri",
        "bus.url",
        "bus.bundled",
        "organisations[1].organisation",
    ]
    by_place = dict(zip(places, found, strict=True))
    assert by_place["node.name"].endswith('Write, for example: name = "wuhua"')
    assert "nearest known key is node.name" in by_place["node.nmae"]
    assert "(from GATEWAY__NODE__DRAIN_SECONDS)" in by_place["node.drain_seconds"]
    assert "(from GATEWAY__STORE__URI)" in by_place["store.uri"]
    assert "nearest known key is store.url" in by_place["store.uri"]
    assert "tls://HOST:PORT" in by_place["bus.url"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (GOOD.replace("[store]", "[stor]"), "stor is unknown. The nearest known key is store."),
        (f"xyzzy = 1\n{GOOD}", "Known here: node, tls, directory"),
        (GOOD.replace("[tls]", "[tls]\nvault_key = 'x'"), "Perhaps store.vault_key is meant."),
        (GOOD.replace("[store]", "[store]\n[store.more]"), "store.more is unknown."),
        (GOOD.replace('"530102/edu"', '"53/psb"'), "53/psb stands twice"),
        (GOOD.replace('adapter = "public_security"', ""), "settings but no adapter"),
        (GOOD.replace('url = "tls://a:4222, tls://b:4222"', ""), "Say where the broker is"),
        (GOOD.replace('["file:d.pem"]', "[]"), "organisations[2].seal"),
        (GOOD.replace("sqlite:///state/node.db?timeout=5", "sqlite:///:memory:"), "forgets"),
        (GOOD.replace("sqlite:///state", "mysql://state"), "sqlite:/// or postgresql+psycopg://"),
        (GOOD.replace('province = "53"', "province = [1]"), "a text or a number"),
        (GOOD + "[policy]\nabsence_threshold = 4\n", "art. 7 allows three at most"),
        (GOOD + BUNDLED.replace('"wuhua"', '"other"'), "add wuhua"),
        (GOOD + BUNDLED.replace(', "53/psb"', ""), "lists wuhua without 53/psb"),
        (GOOD + BUNDLED.replace(NKEY, "SUSECRET"), "public nkey"),
        (
            GOOD + BUNDLED.replace("[bus.bundled]", '[bus.bundled]\nlisten = "0.0.0.0:1"'),
            "127.0.0.1",
        ),
        (GOOD.replace('name = "wuhua"', 'name = "../x"'), "1 to 32 of a-z, 0-9 and hyphen"),
        (GOOD.replace("[node]", '[node]\nlisten = "127.0.0.1:99999"'), "HOST:PORT"),
        ("[node", "is no TOML"),
    ],
)
def test_single_problem(tmp_path: Path, content: str, text: str) -> None:
    """Each mistake is named with what would be right."""
    assert any(text in problem for problem in problems(tmp_path, content))


def test_bundled_broker(tmp_path: Path) -> None:
    """A node may start the broker; it then needs no address of one."""
    config = read(tmp_path, (GOOD + BUNDLED).replace('url = "tls://a:4222, tls://b:4222"', ""))
    assert config.bus.urls == ()
    assert config.bus.bundled is not None
    assert config.bus.bundled.port == 0
    assert config.bus.bundled.nodes[0].organisations == ("530102/edu", "53/psb")


def test_domain_of_a_broker_behind_a_leaf(tmp_path: Path) -> None:
    """Its form is that of a subject token, and the bundled broker has none."""
    assert read(tmp_path, GOOD).bus.domain is None
    behind = GOOD.replace("[bus]", '[bus]\ndomain = "hub"')
    assert read(tmp_path, behind).bus.domain == "hub"
    for content in (behind.replace("hub", "a.*"), behind + BUNDLED):
        assert any("domain" in problem for problem in problems(tmp_path, content))


def test_no_value_is_repeated(tmp_path: Path) -> None:
    """No problem and no text form quotes a value: it may be a password."""
    content = GOOD.replace("sqlite:///state/node.db?timeout=5", "mysql://root:hunter2@db/x")
    content = content.replace('nkey_seed = "nkey.seed"', "nkey_seed = { hunter2 = 'hunter2' }")
    assert "hunter2" not in "\n".join(problems(tmp_path, content)).replace("bus.nkey", "")
    config = read(tmp_path, GOOD.replace("register.db", "hunter2"))
    assert "hunter2" not in repr(config)


def test_settings_do_not_change(tmp_path: Path) -> None:
    """What was read stays as it was read."""
    config = read(tmp_path, GOOD)
    with pytest.raises(ValidationError):
        config.node.name = "other"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or no text is one clear problem."""
    path = tmp_path / "node.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigFault, match=str(path)) as caught:
        load_config(path, {})
    assert len(caught.value.problems) == 1


def test_every_setting_is_explained() -> None:
    """Every field of every section has a sentence, which is shown when it is wrong."""
    pending: list[type] = [NodeConfig]
    for section in pending:
        for name, field in section.model_fields.items():  # type: ignore[attr-defined]
            assert field.description, name
            inner = field.annotation
            pending += [inner] if isinstance(inner, type) and hasattr(inner, "model_fields") else []
