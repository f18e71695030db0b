"""Settings of an adapter that speaks SQL, and its mapping from a TOML file."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field


class SqlSettings(BaseModel):
    """What `[adapter.settings]` may hold for such an adapter; an unknown key is an error."""

    # The URL holds a password: an error must not repeat it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(repr=False)
    """SQLAlchemy URL of the agency's database or of a view made for the gateway."""
    mapping: Path | None = None
    """TOML file that names the agency's columns and codes; the reference system's when absent."""
    page_size: int = Field(default=200, ge=1, le=10_000)
    """Rows read from the change log at a time."""
    settle_seconds: float = Field(default=60.0, ge=0)
    """How long a transaction of the agency may take (serial_feed.page_of)."""


class SystemMapping(BaseModel):
    """Names and codes of one agency's system, as data; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=SystemMapping)


def read_mapping(kind: type[M], path: Path | None) -> M:
    """Return the mapping in a TOML file, its gaps filled from the reference system's.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no TOML, or names what the mapping does not have.
    """
    return kind() if path is None else kind.model_validate(tomllib.loads(path.read_text("utf-8")))
