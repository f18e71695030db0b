"""Starts processes of the benchmark and gives them orders, one JSON line each."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self


class Worker:
    """A process that answers each line with a line; it ends when its standard input does."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def answer(self) -> Any:
        """Wait for its next line. Raises EOFError when it ended instead."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EOFError(f"a process of the benchmark ended with {self._process.wait()}")
        return json.loads(line)

    def order(self, do: str, **arguments: Any) -> None:
        """Give an order; its answer is asked for with `answer`."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()

    def carry_out(self, do: str, **arguments: Any) -> Any:
        """Give an order and wait for its answer."""
        self.order(do, **arguments)
        return self.answer()

    def __enter__(self) -> Self:
        """Wait until it is ready."""
        self.answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
