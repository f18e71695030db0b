"""A mutant: the node of `node_process`, whose store acknowledges before the disk has it.

SYNCHRONOUS names the setting of SQLite: 1 is NORMAL, 0 is OFF.
"""

import os
import runpy
from typing import Any, cast

from gateway.store import engine

if __name__ == "__main__":
    cast("Any", engine)._SQLITE_PRAGMAS["synchronous"] = int(os.environ["SYNCHRONOUS"])
    runpy.run_module("tests.faults.node_process", run_name="__main__")
