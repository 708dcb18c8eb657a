"""The embedded server of a home folder, as `twin.local()` uses it.

One server per home, shared by every `twin.local()` on it, in whatever process: two would compete for the
device and its memory. Whoever comes first starts it (under a lock on the home); later ones join it by the
address which the first left in the home. It stops when the last client has gone (lifeline.py). Its socket
lies in a folder that only the user can enter. A run that is still going when the server stops goes on when
the next one starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, final

from twin.errors import Unavailable
from twin.sdk.lifeline import Lifeline

_ADDRESS: Final = "embedded.json"
_LOCK: Final = "embedded.lock"
_LOG: Final = "server.log"
_LOG_LIMIT: Final = 8 << 20  # bytes; a longer log is set aside at the next start
_TAIL_LINES: Final = 15


def default_home() -> Path:
    """TWIN_HOME, or the folder of the user's data: the same as that of `twin serve`."""
    return Path(os.environ.get("TWIN_HOME") or Path.home() / ".local" / "share" / "twin").expanduser()


@final
@dataclass(frozen=True)
class EmbeddedServer:
    """A hold on the running server of `home`. process: None where another process started it."""

    home: Path
    folder: Path
    lifeline: Lifeline
    process: subprocess.Popen[bytes] | None

    @property
    def target(self) -> str:
        """Its gRPC address."""
        return f"unix:{self.folder / 'twin.sock'}"

    def failure(self) -> Unavailable | None:
        """Why the server has ended, with the end of its log;

        None while it runs or where others started it.
        """
        if self.process is None or self.process.poll() is None:
            return None
        return _ended(self.home, self.process.returncode)

    def close(self, timeout: float = 15.0) -> None:
        """Let go. The last one to do so waits until the server has stopped (at most `timeout` seconds)."""
        last = self.lifeline.release()
        if self.process is None:
            return
        if last:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
                return
        # Others keep it, or it takes its time: somebody has to collect its exit status whenever it ends.
        threading.Thread(target=self.process.wait, name="twin-reaper", daemon=True).start()


def start_or_join(home: Path, timeout: float = 60.0) -> EmbeddedServer:
    """Hold the embedded server of `home`, started if need be.

    The server may not answer calls yet, but its process is up: wait for readiness on the channel.
    Raises Unavailable where it can't be started (the message holds the end of its log).
    """
    home = home.expanduser().resolve()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (home / _LOCK).open("a")
    except OSError as error:
        raise Unavailable(
            f"twin can't keep its data in {home}: {error.strerror}. Choose another home folder."
        ) from None
    with lock, _locked(lock.fileno(), home, timeout):
        return _join(home) or _start(home, timeout)


@contextlib.contextmanager
def _locked(descriptor: int, home: Path, timeout: float) -> Iterator[None]:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"another process has been starting a server on {home} for {timeout:.0f} s. "
                    "Wait for it, or choose another home folder."
                ) from None
            time.sleep(0.05)
    yield


def _join(home: Path) -> EmbeddedServer | None:
    try:
        address = json.loads((home / _ADDRESS).read_text())
        folder, theirs = Path(address["folder"]), str(address["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    lifeline = Lifeline.hold(folder / "lifeline.sock")
    if lifeline is None:
        # It was killed before it could tidy up.
        shutil.rmtree(folder, ignore_errors=True)
        return None
    if theirs != version("twin"):
        lifeline.release()
        raise Unavailable(
            f"a server of twin {theirs} is running on {home}, and this is twin {version('twin')}. "
            "Close the programs that use it, or choose another home folder."
        )
    return EmbeddedServer(home, folder, lifeline, process=None)


def _start(home: Path, timeout: float) -> EmbeddedServer:
    # A Unix socket path has at most 107 bytes: homes are often deeper than that, temporary folders are not.
    folder = Path(tempfile.mkdtemp(prefix="twin-"))
    log = home / _LOG
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    command = [sys.executable, "-m", "twin", "serve", "--home", str(home)]
    command += ["--listen", f"unix:{folder / 'twin.sock'}", "--lifeline", str(folder / "lifeline.sock")]
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the client's terminal is the client's affair
            cwd="/",  # `python -m` searches it first: the caller's files must not shadow modules
            env=_environment(),
        )
    deadline = time.monotonic() + timeout
    while True:
        lifeline = Lifeline.hold(folder / "lifeline.sock")
        if lifeline is not None:
            break
        if process.poll() is not None:
            shutil.rmtree(folder, ignore_errors=True)
            raise _ended(home, process.returncode)
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)
            raise Unavailable(f"the server did not start within {timeout:.0f} s. {_tail(log)}")
        time.sleep(0.02)
    _write(home / _ADDRESS, json.dumps({"folder": str(folder), "version": version("twin")}))
    return EmbeddedServer(home, folder, lifeline, process)


def _environment() -> dict[str, str]:
    """Ours, in which the server finds the same twin, also from a source tree that is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [
        str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]
    if root not in (*paths, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        paths.append(root)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _ended(home: Path, status: int) -> Unavailable:
    cause = f"signal {-status}" if status < 0 else f"status {status}"
    return Unavailable(f"the embedded server of {home} has ended with {cause}. {_tail(home / _LOG)}")


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError as error:
        return f"Its log can't be read: {error.strerror}."
    return "\n".join((f"The end of its log, {log}:", *(f"  {line}" for line in lines)))


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
