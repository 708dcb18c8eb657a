"""How an embedded server knows that it is still wanted: every client holds a connection to its lifeline
socket.

The kernel closes a connection however its process ends (also by SIGKILL), so a server whose last lifeline has
gone can stop, and no client has to be the one that stops it under the others' feet. Used by `twin.local()`
(Lifeline) and by `twin serve --lifeline` (guard); independent of gRPC, so that it works before the service is
up.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Final, final

_WELCOME: Final = b"twin"
_GOODBYE: Final = b"bye."
_LAST: Final = b"last"
_OTHERS: Final = b"more"


def guard(path: Path, grace: float = 30.0) -> None:
    """Listen on `path` and send this process SIGTERM once every client has gone.

    grace: how long to wait for the first client [s]. Returns at once; watching happens in a daemon thread.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(128)
    listener.setblocking(False)
    threading.Thread(target=_watch, args=(listener, path, grace), name="lifeline", daemon=True).start()


def _watch(listener: socket.socket, path: Path, grace: float) -> None:
    clients: set[socket.socket] = set()
    deadline: float | None = time.monotonic() + grace
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while clients or (deadline is not None and time.monotonic() < deadline):
            for key, _ in selector.select(
                None if clients or deadline is None else deadline - time.monotonic()
            ):
                if key.fileobj is listener:
                    client, _ = listener.accept()
                    _send(client, _WELCOME)
                    selector.register(client, selectors.EVENT_READ)
                    clients.add(client)
                    deadline = None
                elif isinstance(key.fileobj, socket.socket):
                    selector.unregister(key.fileobj)
                    clients.discard(key.fileobj)
                    if _receive(key.fileobj) == _GOODBYE:
                        _send(key.fileobj, _OTHERS if clients else _LAST)
                    key.fileobj.close()
    # Whoever connects from here on gets no welcome, and starts a server of its own.
    listener.close()
    path.unlink(missing_ok=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _send(peer: socket.socket, word: bytes) -> bool:
    try:
        peer.sendall(word)
    except OSError:
        return False
    return True


def _receive(peer: socket.socket) -> bytes:
    try:
        return peer.recv(len(_WELCOME))
    except OSError:
        return b""


@final
class Lifeline:
    """A client's hold on an embedded server, until `release` or the end of the process."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer: Final = peer

    @classmethod
    def hold(cls, path: Path, timeout: float = 5.0) -> Lifeline | None:
        """Take hold of the server that guards `path`; None where none answers within `timeout` seconds."""
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(timeout)
        try:
            peer.connect(str(path))
        except OSError:
            peer.close()
            return None
        if _receive(peer) == _WELCOME:
            return cls(peer)
        peer.close()
        return None

    def release(self) -> bool:
        """Let go; True where nobody else holds the server, which stops then."""
        last = not _send(self._peer, _GOODBYE) or _receive(self._peer) != _OTHERS
        self._peer.close()
        return last
