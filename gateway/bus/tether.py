"""Becomes another program that ends when its parent ends. Run as a script, never imported.

Popen's preexec_fn is unsafe in a process with threads, so this small process asks the kernel for
the signal (prctl(2), PR_SET_PDEATHSIG, which survives execve) and then turns into the program.
Usage: tether.py PARENT_PID PROGRAM [ARGUMENT ...]
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then execute the program."""
    parent, program = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel knew whom to watch
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  # the caller gives a full path


if __name__ == "__main__":
    main(sys.argv[1:])
