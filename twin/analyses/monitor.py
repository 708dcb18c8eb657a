"""How a running analysis tells where it stands, and hears that it should stop."""

from typing import Protocol


class Monitor(Protocol):
    """The analysis calls `progress` often, at least once a second where it can."""

    def progress(self, phase: str, fraction: float, message: str = "", residual: float | None = None) -> None:
        """Report.

        Args:
            phase: "check", "mesh", "solve", "estimate", "recover" or "write"
            fraction: of the whole analysis, 0 to 1
            message: what is being done, for a person
            residual: relative, of the linear solver

        Raises:
            twin.errors.Cancelled: the run was cancelled
        """


class Silent:
    """A monitor that nobody watches."""

    def progress(self, phase: str, fraction: float, message: str = "", residual: float | None = None) -> None:
        """Say nothing."""
