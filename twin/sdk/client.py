"""The synchronous client:

each method runs its asynchronous twin (aio/client.py) on the SDK's own event loop.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from twin.geometry.script import Script, ServerScript
from twin.materials import Material
from twin.sdk import aio, bridge
from twin.sdk.aio.client import AsyncClient, Opening
from twin.sdk.part import Part
from twin.sdk.result import Result
from twin.sdk.run import Run
from twin.sdk.surrogate import Surrogate
from twin.sdk.sweep import Sweep
from twin.sdk.update import RunInfo, RunState, SweepInfo
from twin.studies import DEFAULT_COVERAGE, Discretisation, FreeForm, Method, Preview, StaticStress, Study
from twin.sweeps.parameters import Choice, Parameter
from twin.sweeps.sampling import Sampling


@final
class Client:
    """A connection to a server, from `twin.local()` or `twin.connect()`.

    Close it, or use it as a context manager; what is left open is closed at exit. It may be used by several
    threads.
    """

    def __init__(self, client: AsyncClient, loop: bridge.Bridge) -> None:
        self._client: Final = client
        self._bridge: Final = loop
        self._open = True
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection;

        an embedded server stops when its last client has closed. Closing twice is fine.
        """
        if not self._open:
            return
        self._open = False
        atexit.unregister(self.close)
        self._bridge.run(self._client.close_channel())
        # Not on the loop: at exit there are no more threads to wait in.
        if self._client.server is not None:
            self._client.server.close()

    def upload(self, path: str | Path, unit: str = "mm") -> Part:
        """Send a part: STL, STEP, OBJ or PLY. What the server has already is not sent again.

        unit: of the lengths in files that name none (um, mm, cm, m, in, ft); a unit in the file wins, and the
        report says so. Raises GeometryError where the file can't be read or used.
        """
        return self._bridge.run(self._client.upload(path, unit))

    def part(self, name: str) -> Part:
        """A part that was uploaded before, by its id. Raises NotFound."""
        return self._bridge.run(self._client.part(name))

    def simulate(
        self,
        part: Part,
        study: Study,
        accuracy: float | str = 0.05,
        method: Method = "auto",
        discretisation: Discretisation = "auto",
        quantities: Sequence[str] | None = None,
        max_seconds: float | str | None = None,
        max_unknowns: int | None = None,
        *,
        surrogate: str | None = None,
        coverage: float = DEFAULT_COVERAGE,
        shape: Sequence[FreeForm] = (),
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Run:
        """Start a run and return at once.

        accuracy: relative error wished for in the quantities (all, or those named). max_seconds,
        max_unknowns: limits of the computation. surrogate: asked first with method "auto", alone with "surrogate", in
        place of the eight newest; its bounds hold for a share of parts, coverage. shape: boxes that deform the part
        first; selectors speak of where it was before. name, labels: to find the run by. Raises InvalidInput for what
        can't work.
        """
        started = self._client.simulate(
            part, study, accuracy, method, discretisation, quantities, max_seconds, max_unknowns,
            surrogate=surrogate, coverage=coverage, shape=shape, name=name, labels=labels,
        )  # fmt: skip
        return Run(self._bridge.run(started), self._bridge)

    def run(self, name: str) -> Run:
        """A run by its name, whoever started it. Raises NotFound."""
        return Run(self._bridge.run(self._client.run(name)), self._bridge)

    def runs(
        self,
        states: Sequence[RunState] = (),
        part: Part | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Iterator[RunInfo]:
        """Runs, newest first: all, or those in one of the states, of one part, with all these labels."""
        return self._bridge.iterate(self._client.runs(states, part, labels))

    def sweep(
        self,
        part: Part | Choice | Sequence[Part] | Script | ServerScript,
        study: Study,
        parameters: Sequence[Parameter],
        sampling: Sampling | Sequence[Sampling],
        *,
        constraints: Sequence[str] = (),
        shape: Sequence[FreeForm] = (),
        accuracy: float | str = 0.05,
        method: Method = "auto",
        discretisation: Discretisation = "auto",
        quantities: Sequence[str] | None = None,
        max_seconds: float | str | None = None,
        max_unknowns: int | None = None,
        surrogate: str | None = None,
        coverage: float = DEFAULT_COVERAGE,
        preview: Preview | None = None,
        keep_fields: bool = False,
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Sweep:
        """Start a sweep and return at once: one question, asked of many designs.

        part: of all designs; a choice of parts, which is one of the parameters; a list of parts, which makes the
        parameter "part"; a twin.Script, which builds one for each design while somebody waits in `watch` or `result` of
        the sweep; or a twin.ServerScript, which the service runs. study, shape: with parameters in place of some
        numbers or of materials. sampling: twin.Sobol(64) and the like; several come one after the other. constraints:
        such as "2 * wall < width"; designs that break one are INFEASIBLE. preview: how designs are solved, quickly,
        while an optimiser looks for the best, for a twin.Verification after it. keep_fields: also of designs, not their
        quantities alone. Others: as of `simulate`, for each design.
        Raises InvalidInput for what can't work.
        """
        started = self._client.sweep(
            part, study, parameters, sampling, constraints=constraints, shape=shape,
            accuracy=accuracy, method=method, discretisation=discretisation, quantities=quantities,
            max_seconds=max_seconds, max_unknowns=max_unknowns, surrogate=surrogate, coverage=coverage, preview=preview,
            keep_fields=keep_fields, name=name, labels=labels,
        )  # fmt: skip
        return Sweep(self._bridge.run(started), self._bridge)

    def find_sweep(self, name: str, script: Script | None = None) -> Sweep:
        """A sweep by its name, whoever started it. script: what builds its parts, to go on. Raises NotFound."""
        return Sweep(self._bridge.run(self._client.find_sweep(name, script)), self._bridge)

    def sweeps(self) -> Iterator[SweepInfo]:
        """Sweeps, newest first."""
        return self._bridge.iterate(self._client.sweeps())

    def predict(
        self,
        part: Part,
        study: Study,
        surrogate: str,
        coverage: float = DEFAULT_COVERAGE,
        *,
        quantities: Sequence[str] | None = None,
        shape: Sequence[FreeForm] = (),
    ) -> Result:
        """The answer of a surrogate alone: numbers with bounds that hold for a share of parts, `coverage`.

        surrogate: "bracket", or a version of it "surrogates/bracket/versions/2". Raises FailedPrecondition for a part
        or a load that it can't know, and NotFound.
        """
        answer = self._client.predict(part, study, surrogate, coverage, quantities=quantities, shape=shape)
        return Result(self._bridge.run(answer), self._bridge)

    def train(
        self,
        surrogate: str,
        data: str | Run | Sweep | Sequence[str | Run | Sweep] = (),
        networks: int = 3,
        steps: int = 6000,
        seed: int = 0,
        *,
        start: str = "",
        escalated: bool = False,
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Run:
        """Start to train a new version of a surrogate, and return at once; `run.surrogate()` waits for it.

        data: sweeps that keep fields, and runs, by themselves or by their names: studies of stress of 30 different
        parts at the least. networks: trained apart, so that their spread says where they guess; steps: of each; seed:
        of what is drawn by chance. start: a surrogate of other parts, whose networks are trained on: of few parts,
        20 at the least, they then know more than new ones. escalated: learn also from all your runs that this
        surrogate was asked of first, and that had to be solved. Raises InvalidInput, FailedPrecondition and NotFound
        for what can't be learned from.
        """
        given = [data] if isinstance(data, str | Run | Sweep) else data
        names = [each if isinstance(each, str) else each.name for each in given]
        started = self._client.train(
            surrogate,
            names,
            networks,
            steps,
            seed,
            start=start,
            escalated=escalated,
            name=name,
            labels=labels,
        )
        return Run(self._bridge.run(started), self._bridge)

    def load_surrogate(self, path: str | Path, name: str) -> Run:
        """Make what `surrogate.save` wrote a new version of the surrogate `name`, and return at once, as `train` does.

        Raises GeometryError where the file can't be read; the run fails where it is no surrogate.
        """
        return Run(self._bridge.run(self._client.load_surrogate(path, name)), self._bridge)

    def import_result(
        self,
        part: Part,
        study: StaticStress,
        path: str | Path | Mapping[str, str | Path],
        error: float | str,
        code: str,
        *,
        fields: Mapping[str, str] | None = None,
        length_unit: str = "m",
        stress_unit: str = "Pa",
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Run:
        """Make an answer of another code a run, as if it had been simulated here, and return at once.

        Surrogates learn from it, and it can be shown and compared; it is checked against the part and the study first.
        path: a mesh with fields at its nodes, .vtu, .vtk or .vtp, or .npz with points (n, 3), triangles (t, 3) and the
        fields; one file for all load cases, with fields "case/displacement" and "case/stress", or one for each as
        {"case": path}, whose fields need no case in their names. error: relative, of its numbers, as its owner knows
        it; code: what has found it, such as "CalculiX 2.21". fields: what fields are called, {"displacement": "U",
        "stress": "S"}; stress has the components xx, yy, zz, xy, yz, zx, or nine. Raises InvalidInput for what can't be
        read; the run fails where the answer is not of this part and study.
        """
        started = self._client.import_result(
            part,
            study,
            path,
            error,
            code,
            fields=fields,
            length_unit=length_unit,
            stress_unit=stress_unit,
            name=name,
            labels=labels,
        )
        return Run(self._bridge.run(started), self._bridge)

    def improve(self, surrogate: str, sweep: Sweep, designs: int = 20, *, seed: int = 0) -> Sweep:
        """Extend a sweep by the designs that would teach a surrogate most: where it is expected to be furthest off.

        Told by its errors at those designs of the sweep that it was tested on. Train on the sweep again when they have
        ended. seed: of the candidates. Raises NotFound, and FailedPrecondition where too few are known to tell.
        """
        self._bridge.run(self._client.improve(surrogate, sweep._sweep, designs, seed=seed))
        return sweep

    def surrogate(self, name: str) -> Surrogate:
        """A surrogate by its name. Raises NotFound."""
        return Surrogate(self._bridge.run(self._client.surrogate(name)), self._bridge)

    def surrogates(self) -> Iterator[Surrogate]:
        """Surrogates by their names, each with its current version."""
        for found in self._bridge.iterate(self._client.surrogates()):
            yield Surrogate(found, self._bridge)

    def materials(self) -> dict[str, Material]:
        """The material library of the server."""
        return self._bridge.run(self._client.materials())


def local(home: str | Path | None = None, timeout: float = 60.0) -> Client:
    """The embedded server of a home folder, started if need be, on a socket that only this user can reach.

    home: where runs, parts and caches are kept; TWIN_HOME or the user's data folder by default. All clients
    of a home share one server, which stops when the last of them has closed. timeout: longest time to wait
    for it [s]. Raises Unavailable, with the end of its log, where it does not start.
    """
    return _open(aio.local(home, timeout))


def connect(target: str, token: str | None = None, insecure: bool = False, timeout: float = 10.0) -> Client:
    """A server by its address, "host:port" or "unix:/path".

    To another machine it talks TLS; plaintext only with insecure=True, and never with a token. Raises
    InvalidInput for an address that can't be read, Unavailable where nothing answers within `timeout`
    seconds.
    """
    return _open(aio.connect(target, token, insecure, timeout))


def _open(opening: Opening) -> Client:
    async def opened() -> AsyncClient:
        return await opening

    loop = bridge.shared()
    return Client(loop.run(opened()), loop)
