"""The count beside a store, and the claim of one process on it."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.store.claim import StoreClaim
from gateway.store.faults import UnsafeStore
from gateway.store.start_counter import StartCounter


@pytest.fixture
def counter(tmp_path: Path) -> StartCounter:
    """The counter beside an SQLite file."""
    found = StartCounter.of(f"sqlite:///{tmp_path}/node.db", None, "wuhua")
    assert found is not None
    return found


def test_it_lies_beside_the_file_or_where_it_is_told(tmp_path: Path) -> None:
    """Beside an SQLite file, or in a directory of the node; PostgreSQL needs one to be named."""
    url = "postgresql+psycopg://u:p@db/gateway"
    beside = StartCounter.of(f"sqlite:///{tmp_path}/node.db", None, "wuhua")
    told = StartCounter.of(url, tmp_path / "state", "wuhua")
    assert beside is not None
    assert told is not None
    assert beside.path == tmp_path / "node.db.starts"
    assert told.path == tmp_path / "state/wuhua.gateway.starts"
    assert StartCounter.of(url, None, "wuhua") is None


def test_what_was_written_is_read(counter: StartCounter) -> None:
    """A missing counter is none; a written one is there, for its owner alone, and never goes back."""
    assert counter.read() is None
    counter.write(7)
    counter.write(5)
    assert counter.read() == 7
    assert counter.path.stat().st_mode & 0o777 == 0o600
    assert list(counter.path.parent.iterdir()) == [counter.path]


@pytest.mark.parametrize("text", ["", "{}", '{"starts": "7"}', "7", "\x00"])
def test_a_damaged_counter_is_no_counter(counter: StartCounter, text: str) -> None:
    """What cannot be read is said so: nobody takes it for a new store."""
    counter.path.write_text(text)
    with pytest.raises(UnsafeStore, match="cannot be read"):
        counter.read()


def test_one_process_works_on_a_store(tmp_path: Path) -> None:
    """A second claim is refused in a sentence, in this process or another; a left one is free."""
    url = f"sqlite:///{tmp_path}/node.db"
    other = f"from gateway.store.claim import StoreClaim\nStoreClaim({url!r}).__enter__()"
    with StoreClaim(url):
        with pytest.raises(UnsafeStore, match="Another process"):
            StoreClaim(url).__enter__()
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, check=False)
        assert b"Another process works on the store" in done.stderr
    with StoreClaim(url):
        pass
    assert subprocess.run([sys.executable, "-c", other], check=False).returncode == 0


def test_a_process_that_dies_lets_go(tmp_path: Path) -> None:
    """The claim ends with its process, however that ends."""
    url = f"sqlite:///{tmp_path}/node.db"
    dying = (
        "import os, signal\nfrom gateway.store.claim import StoreClaim\n"
        f"StoreClaim({url!r}).__enter__()\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", dying], check=False)
    assert done.returncode == -9
    with StoreClaim(url):
        pass


def test_postgresql_needs_no_claim() -> None:
    """Several processes may share a PostgreSQL store."""
    url = "postgresql+psycopg://u:p@db/gateway"
    with StoreClaim(url), StoreClaim(url) as claim:
        assert claim.path is None
