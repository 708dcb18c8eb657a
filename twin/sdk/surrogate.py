"""The synchronous surrogate: each method runs its asynchronous twin (aio/surrogate.py) on the SDK's own event loop."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from twin.results.card import ModelCard
from twin.sdk.aio.surrogate import AsyncSurrogate
from twin.sdk.bridge import Bridge


@final
class Surrogate:
    """A model that has learned from finished runs, as it was when it was looked up.

    Hand its name to `client.predict` or `client.simulate`.
    """

    def __init__(self, surrogate: AsyncSurrogate, loop: Bridge) -> None:
        self._surrogate: Final = surrogate
        self._bridge: Final = loop

    def __repr__(self) -> str:
        return f"Surrogate({self.name!r}, version={self.current})"

    @property
    def name(self) -> str:
        """Such as "surrogates/bracket"."""
        return self._surrogate.name

    @property
    def current(self) -> int:
        """The version that answers where none is named."""
        return self._surrogate.current

    @property
    def cards(self) -> dict[int, ModelCard]:
        """What is known of each version, newest first."""
        return self._surrogate.cards

    @property
    def card(self) -> ModelCard:
        """What is known of the current version."""
        return self._surrogate.card

    def use(self, version: int) -> None:
        """Make another version the current one: an earlier one, to roll back. Raises NotFound."""
        self._bridge.run(self._surrogate.use(version))

    def errors(self) -> dict[str, float]:
        """Of each run that the current version was tested on, "runs/...", the mean relative error of its numbers."""
        return self._bridge.run(self._surrogate.errors())

    def save(self, path: str | Path, version: int | None = None) -> Path:
        """Write a version, the current one by default, to one file (.npz), which `client.load_surrogate` reads.

        Raises NotFound.
        """
        return self._bridge.run(self._surrogate.save(path, version))

    def delete(self, version: int | None = None) -> None:
        """Delete a version, or all of it, with the runs that made them. Raises NotFound."""
        self._bridge.run(self._surrogate.delete(version))
