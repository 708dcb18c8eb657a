"""The real service with fake workers: fake_server.py HOME LISTEN [real]. Says its address when it answers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from twin.service.app import serve
from twin.service.settings import Settings
from twin.workers.launch import COMMAND

FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


def say(address: str) -> None:
    sys.stdout.write(address + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    home, listen, *rest = sys.argv[1:]
    settings = Settings(home=Path(home), listen=listen, devices="cpu", heartbeat_seconds=0.5)
    asyncio.run(serve(settings, say, COMMAND if rest == ["real"] else FAKE))
