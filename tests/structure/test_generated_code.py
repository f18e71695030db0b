"""The code under gateway/v1 is what the contract says, no more and no less."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_code_is_fresh() -> None:
    """Generating from protos/ again yields byte for byte what is in gateway/v1."""
    run = subprocess.run(
        [sys.executable, "protos/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_every_proto_has_its_module() -> None:
    """The check above compares something: each .proto has a module and its types."""
    names = {path.stem for path in (ROOT / "protos/gateway/v1").glob("*.proto")}
    assert names
    for name in names:
        assert (ROOT / f"gateway/v1/{name}_pb2.py").is_file()
        assert (ROOT / f"gateway/v1/{name}_pb2.pyi").is_file()
