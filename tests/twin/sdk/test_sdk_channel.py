"""Where a client may connect to, and how."""

from __future__ import annotations

import pytest

import twin


@pytest.mark.parametrize("target", ["nonsense", "host", ":50051", "host:port"])
def test_addresses_that_cannot_be_read(target):
    with pytest.raises(twin.InvalidInput, match="host:port"):
        twin.connect(target)


def test_a_token_never_travels_in_plaintext():
    with pytest.raises(twin.InvalidInput, match="plaintext"):
        twin.connect("example.org:50051", token="secret", insecure=True)


def test_another_machine_is_talked_to_by_tls_only(monkeypatch):
    used = []
    monkeypatch.setattr(
        "grpc.aio.secure_channel", lambda target, *a, **k: used.append(("tls", target)) or Closed()
    )
    monkeypatch.setattr(
        "grpc.aio.insecure_channel", lambda target, **k: used.append(("plain", target)) or Closed()
    )
    for target, options in (
        ("example.org:1", {}),
        ("example.org:1", {"token": "t"}),
        ("example.org:1", {"insecure": True}),
        ("127.0.0.1:1", {}),
        ("[::1]:1", {}),
        ("localhost:1", {}),
        ("localhost:1", {"token": "t"}),
        ("/run/twin.sock", {}),
    ):
        with pytest.raises(twin.Unavailable):
            twin.connect(target, timeout=0, **options)
    assert [kind for kind, _ in used] == ["tls", "tls", "plain", "plain", "plain", "plain", "tls", "plain"]
    assert used[-1][1] == "unix:/run/twin.sock"


class Closed:
    def unary_unary(self, *_, **__):
        return None

    unary_stream = stream_unary = stream_stream = unary_unary

    async def close(self):
        pass


def test_nobody_there(tmp_path):
    with pytest.raises(twin.Unavailable, match=r"not ready within 0"):
        twin.connect(f"unix:{tmp_path}/none", timeout=0.3)
