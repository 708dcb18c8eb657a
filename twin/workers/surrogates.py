"""Surrogates where they are computed: trained from the store, kept at hand, consulted. Imports jax when it has to."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from twin import codec
from twin.errors import FailedPrecondition, Internal, InvalidInput, NotFound
from twin.results import storage, surrogate_file
from twin.results.card import TrainedSurrogate
from twin.store.surrogates import MOST_ASKED, VersionRecord
from twin.store.workspace import Workspace
from twin.studies import Request, StaticStress, Study, Training

if TYPE_CHECKING:
    from twin.analyses.monitor import Monitor
    from twin.learning.answers import Consultation
    from twin.learning.memory import Memories
    from twin.learning.training import Trained

_AT_HAND: Final = MOST_ASKED  # versions that a worker keeps in memory


@final
class Surrogates:
    """Those of all tenants, as one worker sees them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._at_hand: OrderedDict[tuple[str, str], Trained] = OrderedDict()
        # Of the tenant who asked last: others never see them.
        self._memories: tuple[str, Memories] | None = None

    def consultation(
        self, tenant: str, study: Study, request: Request, *, fields: bool
    ) -> Consultation | None:
        """A study with those that are to be asked: the named one, else all; None where there is none to ask.

        fields: whether they are wanted beside the numbers
        """
        if request.method == "solver" or not isinstance(study, StaticStress):
            return None
        if request.method == "auto" and request.surrogate is None and request.discretisation != "auto":
            return None  # who says how space is to be divided wants it divided
        named = [request.surrogate] if request.surrogate else self._workspace.surrogates.names(tenant)
        asked = {}
        for name in named:
            try:
                full_name, version = self._workspace.surrogates.version(tenant, name)
                asked[full_name] = self._trained(tenant, version)
            except NotFound:  # deleted since it was named
                if request.method == "surrogate" and request.surrogate:
                    raise
            except InvalidInput:  # of an earlier version of ours: who names it is told
                if request.surrogate:
                    raise
        if not asked:
            if request.method == "surrogate":
                raise FailedPrecondition("No surrogate is left that could answer: train one.")
            return None
        from twin.learning.answers import Consultation  # jax
        from twin.learning.memory import Memories

        if self._memories is None or self._memories[0] != tenant:
            self._memories = tenant, Memories()
        return Consultation(study, asked, self._memories[1], fields)

    def _trained(self, tenant: str, version: VersionRecord) -> Trained:
        from twin.learning.packing import unpack

        key = tenant, version.run
        if key not in self._at_hand:
            arrays = self._workspace.arrays
            stored = arrays.of(tenant, f"runs/{version.run}")
            if not stored:
                raise NotFound(f"what runs/{version.run} has made is deleted")
            trained = unpack(stored, version.card, lambda name: arrays.read(tenant, stored[name]))
            self._at_hand[key] = trained
        self._at_hand.move_to_end(key)
        while len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        return self._at_hand[key]

    def train(
        self, tenant: str, run: str, asked: Training, monitor: Monitor, workdir: Path
    ) -> TrainedSurrogate:
        """Train, or go on where a worker that is gone left off; or load what was saved. run: id."""
        if asked.saved:
            return self._loaded(tenant, asked, monitor, workdir)
        from twin.analyses.summary import cost
        from twin.analyses.task import Stopwatch
        from twin.learning.packing import pack
        from twin.learning.training import learn
        from twin.workers.lessons import lessons

        folder = self._workspace.home.checkpoints_of(run)
        watch = Stopwatch()
        try:
            with watch.phase("train"):
                known = lessons(self._workspace, tenant, asked, monitor, workdir)
                start, taught, told = None, set[str](), ""
                if asked.start:
                    version = self._workspace.surrogates.version(tenant, asked.start)[1]
                    start = self._trained(tenant, version).ensemble
                    taught, told = self._taught(tenant, asked.start)
                trained = learn(known, asked, folder, monitor, start=start, taught=taught)
        except FloatingPointError as error:
            raise Internal(f"the training broke down: {error}. Train again with another seed.") from error
        card = trained.card
        if told:
            card = replace(card, warnings=(*card.warnings, told))
        return TrainedSurrogate(
            asked.surrogate, card, pack(trained), card.warnings, cost(watch), provenance=card.versions,
            errors=trained.errors,
        )  # fmt: skip

    def _taught(self, tenant: str, name: str) -> tuple[set[str], str]:
        """The runs that a version's networks have learned from, and those that they began as; and, where not all are
        known, what follows.
        """
        workspace, found = self._workspace, set[str]()
        while name:
            try:
                full_name, version = workspace.surrogates.version(tenant, name)
            except NotFound:
                return found, _unknown(f"{name}, which is deleted")
            asked = codec.parse_study(workspace.runs.get(tenant, version.run).study)
            assert isinstance(asked, Training)  # what makes versions
            if asked.saved:
                return found, _unknown(f"{full_name}, which was loaded from a file")
            unseen = storage.tested(workspace.results.get(tenant, version.run))
            found |= {*asked.runs} - {*unseen}
            name = asked.start
        return found, ""

    def _loaded(self, tenant: str, asked: Training, monitor: Monitor, workdir: Path) -> TrainedSurrogate:
        """What a file holds. Raises InvalidInput where that is no surrogate."""
        from twin.analyses.summary import cost
        from twin.analyses.task import Stopwatch
        from twin.learning.packing import unpack

        watch = Stopwatch()
        monitor.progress("read", 0.1, "a surrogate that was saved")
        with watch.phase("read"):
            path = workdir / "surrogate.npz"
            self._workspace.blobs.download(tenant, asked.saved, path)
            card, arrays = surrogate_file.read(path)
            unpack(arrays, card, arrays.__getitem__)
        said = f"Loaded from a file ({asked.saved}): how it was trained is what its card says, and was not seen here."
        return TrainedSurrogate(
            asked.surrogate, card, arrays, (*card.warnings, said), cost(watch), provenance=card.versions
        )


def _unknown(ancestor: str) -> str:
    return (
        f"Its networks began as those of {ancestor}: what these learned from is not known here, and where that was "
        "parts that calibrate the bounds now, the bounds are too narrow."
    )
