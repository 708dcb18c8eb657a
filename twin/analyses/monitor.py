"""How a running analysis tells where it stands, and hears that it should stop."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

NONE: Final[Mapping[str, float]] = MappingProxyType({})


class Monitor(Protocol):
    """The analysis calls `progress` often, at least once a second where it can."""

    def progress(
        self,
        phase: str,
        fraction: float,
        message: str = "",
        residual: float | None = None,
        numbers: Mapping[str, float] = NONE,
    ) -> None:
        """Report.

        Args:
            phase: "check", "mesh", "solve", "estimate", "recover" or "write"
            fraction: of the whole analysis, 0 to 1
            message: what is being done, for a person
            residual: relative, of the linear solver
            numbers: of what is asked for, as it stands, by names; in SI units

        Raises:
            twin.errors.Cancelled: the run was cancelled
        """


class Silent:
    """A monitor that nobody watches."""

    def progress(self, *_: object, **__: object) -> None:
        """Say nothing."""
