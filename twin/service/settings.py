"""What an operator can set: by environment (TWIN_HOME, TWIN_LISTEN, ...) or on the command line."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SOCKET_PATH_LIMIT: Final = 107  # bytes, the kernel's


class Settings(BaseSettings):
    """Read once at the start, frozen from there on."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", frozen=True, extra="ignore")

    home: Annotated[
        Path,
        Field(
            default_factory=lambda: _data_folder() / "twin",
            description="folder of the database, the blobs, the logs and the compile cache",
        ),
    ]
    listen: Annotated[
        str, Field(description='"unix:/path/to/socket", or "127.0.0.1:50051"; port 0 takes a free one')
    ] = "127.0.0.1:50051"
    devices: Annotated[str, Field(description='"auto", "cpu", or CUDA devices by index or UUID: "0,1"')] = (
        "auto"
    )
    cluster: Annotated[
        str,
        Field(
            description='Ray cluster whose nodes compute: "host:port" of its head, or "auto" for this machine\'s; '
            "empty for this machine's devices"
        ),
    ] = ""
    workers_per_device: Annotated[
        int, Field(ge=1, le=64, description="processes that share a device, so that it is never idle")
    ] = 1
    lease_seconds: Annotated[
        float, Field(ge=1.0, description="how long a run stays with a worker that gives no sign of life [s]")
    ] = 15.0
    max_attempts: Annotated[
        int, Field(ge=1, description="how many workers a run may cost before it is given up")
    ] = 3
    heartbeat_seconds: Annotated[
        float, Field(gt=0.0, le=15.0, description="longest silence on a watched run [s]")
    ] = 10.0
    parsers: Annotated[int, Field(ge=1, description="geometry files read at the same time")] = 2
    scripts: Annotated[
        bool,
        Field(
            description="whether scripts of users build parts here, within the walls of bubblewrap; needs it installed"
        ),
    ] = False
    stop_seconds: Annotated[
        float, Field(ge=0.0, description="how long calls in progress may last after a request to stop [s]")
    ] = 1.0
    log_level: Annotated[str, Field(description="of the service's log")] = "INFO"

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("listen")
    @classmethod
    def _private(cls, listen: str) -> str:
        if listen.startswith("unix:"):
            path = listen.removeprefix("unix:").removeprefix("//")
            if len(path.encode()) > _SOCKET_PATH_LIMIT:
                raise ValueError(f"the socket path {path} is longer than {_SOCKET_PATH_LIMIT} bytes")
            return f"unix:{path}"
        host, _, port = listen.rpartition(":")
        if not port.isdigit() or not _is_loopback(host.strip("[]")):
            raise ValueError(
                f"{listen!r} is neither unix:/path nor a loopback address with a port such as "
                "127.0.0.1:50051; plaintext is served on this machine only"
            )
        return listen


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
