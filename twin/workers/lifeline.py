"""The pipe from the front end to a worker: a byte wakes it up, the end of the file means that the front end
is gone.

The kernel closes the pipe however the front end ends, by SIGKILL too. A worker then ends at once, with
whatever processes it has started: whoever starts the service again finds no stranger computing on the same
runs.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final, final

WAKE: Final = b"w"


@final
class Lifeline:
    """The worker's end, which it gets as its standard input."""

    def __init__(self) -> None:
        # Moved out of the way of children, who would inherit descriptor 0 and could read the bytes meant
        # for us.
        self._pipe = os.dup(0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self._woken = threading.Event()
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Sleep until woken, at most `seconds`."""
        self._woken.wait(seconds)
        self._woken.clear()

    def _watch(self) -> None:
        while os.read(self._pipe, 4096):
            self._woken.set()
        end_group()


def end_group() -> None:
    """End this process and everything it has started, now. The process leads its group (launch.py)."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
