"""Small files by which a node tells others its addresses."""

import json
from pathlib import Path


def write_json(path: Path, value: dict[str, str]) -> None:
    """Write the file in one piece: a reader sees all of it or none."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)
