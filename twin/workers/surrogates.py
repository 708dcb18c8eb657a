"""Surrogates where they are computed: trained from the store, kept at hand, consulted. Imports jax when it has to."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from twin.results.card import TrainedSurrogate
from twin.results.outcome import Cost
from twin.store.surrogates import VersionRecord
from twin.store.workspace import Workspace
from twin.studies import Request, StaticStress, Study, Training

if TYPE_CHECKING:
    from twin.analyses.monitor import Monitor
    from twin.learning.answers import Consultation
    from twin.learning.training import Trained

_AT_HAND: Final = 4  # versions that a worker keeps in memory


@final
class Surrogates:
    """Those of all tenants, as one worker sees them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._at_hand: OrderedDict[tuple[str, str], Trained] = OrderedDict()

    def consultation(self, tenant: str, study: Study, request: Request) -> Consultation | None:
        """A study with those that are to be asked: the named one, else all; None where there is none to ask."""
        if request.method == "solver" or not isinstance(study, StaticStress):
            return None
        if request.method == "auto" and request.surrogate is None and request.discretisation != "auto":
            return None  # who says how space is to be divided wants it divided
        named = {}
        for name in [request.surrogate] if request.surrogate else self._workspace.surrogates.names(tenant):
            _, identifier, *version = name.split("/")
            record = self._workspace.surrogates.get(tenant, identifier)
            chosen = record.version(int(version[1]) if version else None)
            named[f"{record.name}/versions/{chosen.version}"] = chosen
        if not named:
            return None
        from twin.learning.answers import Consultation  # jax

        return Consultation(study, {name: self._trained(tenant, each) for name, each in named.items()})

    def _trained(self, tenant: str, version: VersionRecord) -> Trained:
        from twin.learning.packing import unpack

        key = tenant, version.run
        if key not in self._at_hand:
            arrays = self._workspace.arrays
            stored = arrays.of(tenant, f"runs/{version.run}")
            trained = unpack(stored, version.card, lambda name: arrays.read(tenant, stored[name]))
            self._at_hand[key] = trained
        self._at_hand.move_to_end(key)
        while len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        return self._at_hand[key]

    def train(
        self, tenant: str, run: str, asked: Training, monitor: Monitor, workdir: Path
    ) -> TrainedSurrogate:
        """Train, or go on where a worker that is gone left off. run: id."""
        from twin.analyses.summary import cost
        from twin.analyses.task import Stopwatch
        from twin.learning.packing import pack
        from twin.learning.training import learn
        from twin.workers.lessons import lessons

        folder = self._workspace.home.training_of(run)
        folder.mkdir(mode=0o700, exist_ok=True)
        watch = Stopwatch()
        with watch.phase("train"):
            trained = learn(lessons(self._workspace, tenant, asked, monitor, workdir), asked, folder, monitor)
        spent: Cost = cost(watch)
        return TrainedSurrogate(
            asked.surrogate,
            trained.card,
            pack(trained),
            trained.card.warnings,
            spent,
            provenance=trained.card.versions,
        )
