"""How the structure tests read a module."""

import ast
import gc
from pathlib import Path


def syntax_of(path: Path) -> ast.Module:
    """The parsed module.

    Memory is not cleared meanwhile: a finaliser that runs inside the parser and logs a traceback
    enters the parser a second time, which Python 3.11 takes for an error (SystemError).
    """
    gc.disable()
    try:
        return ast.parse(path.read_bytes())
    finally:
        gc.enable()
