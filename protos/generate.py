"""Generates gateway/v1 from protos/gateway/v1, or checks that it is fresh.

The folder below protos/ equals the Python package, so no generated import needs rewriting.

    python protos/generate.py           write what differs, remove what no .proto accounts for
    python protos/generate.py --check   write nothing; exit 1 and name every file that differs
"""

import argparse
import re
import sys
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent
PACKAGE = Path("gateway/v1")

INIT = '''"""The contract in Python, generated from protos/gateway/v1.

Here are the messages (`*_pb2`), the stubs and servicers (`*_pb2_grpc`) and their types (`.pyi`).
Nothing here is written by hand and nothing is decided here: change a .proto, then `make protos`.
"""
'''

SERVICE = re.compile(r"^service \w+", re.MULTILINE)


def main() -> int:
    """Generate or check; the exit code is 0 when gateway/v1 agrees with the contract."""
    parser = argparse.ArgumentParser(description="Generate gateway/v1 from protos/gateway/v1.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check: bool = parser.parse_args().check

    fresh = generated()
    present = committed()
    differing = sorted(
        name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name)
    )
    if not check:
        write(fresh, differing)
        print(f"{PACKAGE}: {len(differing)} of {len(fresh)} files written or removed")
        return 0
    for name in differing:
        print(f"{PACKAGE / name} is not what its .proto says; run: make protos", file=sys.stderr)
    return 1 if differing else 0


def generated() -> dict[str, bytes]:
    """Run protoc in a directory of its own; return file name -> content.

    Raises:
        SystemExit: a .proto is wrong; protoc has said where.
    """
    sources = sorted((PROTOS / PACKAGE).glob("*.proto"))
    with_service = [path for path in sources if SERVICE.search(path.read_text("utf-8"))]
    with tempfile.TemporaryDirectory() as scratch:
        run_protoc(sources, {"python": "", "mypy": "quiet:"}, scratch)
        # Only files with a service: the rest would get modules with nothing in them.
        run_protoc(with_service, {"grpc_python": "", "mypy_grpc": "quiet,only_async:"}, scratch)
        out = Path(scratch) / PACKAGE
        contents = {path.name: path.read_bytes() for path in out.glob("*.py*")}
    contents["__init__.py"] = INIT.encode()
    return contents


def run_protoc(sources: list[Path], outputs: dict[str, str], out: str) -> None:
    """Run the given protoc plugins (name -> options) over `sources` into `out`."""
    if not sources:
        return
    scripts = Path(sysconfig.get_path("scripts"))
    arguments = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={files('grpc_tools') / '_proto'}",  # google/protobuf
        f"--proto_path={site_of_google_rpc()}",
        f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
        *(f"--{plugin}_out={options}{out}" for plugin, options in outputs.items()),
        *(str(path) for path in sources),
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit(1)


def site_of_google_rpc() -> Path:
    """The directory that holds google/rpc/*.proto, shipped with googleapis-common-protos."""
    return Path(str(files("google.rpc") / "status.proto")).parents[2]


def committed() -> dict[str, bytes]:
    """What gateway/v1 holds now: file name -> content."""
    return {path.name: path.read_bytes() for path in (ROOT / PACKAGE).glob("*.py*")}


def write(fresh: dict[str, bytes], differing: list[str]) -> None:
    """Bring the differing files of gateway/v1 to their fresh content, or remove them."""
    target = ROOT / PACKAGE
    target.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in fresh:
            (target / name).write_bytes(fresh[name])
        else:
            (target / name).unlink()


if __name__ == "__main__":
    sys.exit(main())
