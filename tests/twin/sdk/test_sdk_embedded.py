"""The embedded server: started once per home, shared, and gone with its last client, however it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import twin
from twin.sdk.lifeline import Lifeline, guard

HOLD = """
    import sys, time, twin
    client = twin.local(home=sys.argv[1])
    print("up", flush=True)
    time.sleep(60)
"""


def folder_of(home: Path) -> Path:
    return Path(json.loads((home / "embedded.json").read_text())["folder"])


def gone(folder: Path, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return not folder.exists()


def test_clients_of_a_home_share_a_server(tmp_path):
    home = tmp_path / "home"
    opened: list[twin.Client] = []
    starting = [threading.Thread(target=lambda: opened.append(twin.local(home=home))) for _ in range(2)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    first, second = opened
    folder = folder_of(home)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    first.close()
    assert list(second.runs()) == []
    second.close()
    assert gone(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_server_goes_with_a_client_that_is_killed(tmp_path, how):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        folder = folder_of(tmp_path)
        os.kill(process.pid, how)
        process.wait()
    assert gone(folder)


def test_it_starts_without_a_guard_and_past_files_that_shadow_modules(tmp_path):
    (tmp_path / "grpc.py").write_text("raise RuntimeError('not this one')")
    script = (
        "import sys; sys.path.remove(''); import twin; print(len(twin.local(home='home').materials()) > 20)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_server_that_cannot_start_says_why(tmp_path):
    (tmp_path / "twin.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(
        twin.Unavailable, match=r"(?s)has ended with status.*The end of its log, .*server\.log"
    ):
        twin.local(home=tmp_path)


def test_a_server_that_is_killed_is_told_at_once(tmp_path):
    client = twin.local(home=tmp_path)
    server = client._client.server
    assert server is not None
    assert server.process is not None
    server.process.kill()
    with pytest.raises(twin.Unavailable, match="has ended with signal 9"):
        client.run("runs/any")
    client.close()
    with twin.local(home=tmp_path) as client:
        assert list(client.runs()) == []
    assert gone(server.folder)


def test_a_home_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(twin.Unavailable, match="can't keep its data in"):
        twin.local(home=tmp_path / "file" / "home")


def test_lifeline_tells_the_last_one(tmp_path, monkeypatch):
    stopped = threading.Event()
    monkeypatch.setattr("twin.sdk.lifeline.os.kill", lambda pid, number: stopped.set())
    path = tmp_path / "line"
    guard(path)
    one, two = Lifeline.hold(path), Lifeline.hold(path)
    assert one is not None
    assert two is not None
    assert not one.release()
    assert not stopped.wait(0.1)
    assert two.release()
    assert stopped.wait(5.0)
    assert Lifeline.hold(path) is None


def test_lifeline_nobody_comes(tmp_path, monkeypatch):
    stopped = threading.Event()
    monkeypatch.setattr("twin.sdk.lifeline.os.kill", lambda pid, number: stopped.set())
    guard(tmp_path / "line", grace=0.05)
    assert stopped.wait(5.0)
