"""Clients: how they are opened, and what they offer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

import numpy as np

from twin.codec import SweepRequest
from twin.errors import InvalidInput
from twin.geometry.script import Script, ServerScript
from twin.materials import Material
from twin.results import imported
from twin.sdk import embedded, foreign
from twin.sdk.aio.result import AsyncResult
from twin.sdk.aio.run import AsyncRun
from twin.sdk.aio.surrogate import AsyncSurrogate, SurrogateWire
from twin.sdk.aio.sweep import AsyncSweep
from twin.sdk.aio.sweep_wire import SweepWire
from twin.sdk.aio.wire import Wire
from twin.sdk.channel import open_channel, wait_until_ready
from twin.sdk.part import Part
from twin.sdk.update import RunInfo, RunState, SweepInfo
from twin.sdk.uploads import LocalFile
from twin.studies import (
    DEFAULT_COVERAGE,
    Discretisation,
    FreeForm,
    Imported,
    Method,
    Preview,
    Request,
    StaticStress,
    Study,
    Training,
)
from twin.sweeps import improvement
from twin.sweeps.parameters import Choice, Parameter
from twin.sweeps.sampling import Points, Sampling
from twin.sweeps.space import Space

Data = str | AsyncRun | AsyncSweep
"""What surrogates learn from."""


@final
class AsyncClient:
    """A connection to a server.

    Open one with `local` or `connect`; close it, or use it as a context manager.
    """

    def __init__(self, wire: Wire, server: embedded.EmbeddedServer | None = None) -> None:
        self._wire: Final = wire
        self._server: Final = server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; an embedded server stops when its last client has closed."""
        await self.close_channel()
        if self._server is not None:
            await asyncio.to_thread(self._server.close)

    async def close_channel(self) -> None:
        """The part of `close` that needs the event loop."""
        await self._wire.close()

    @property
    def server(self) -> embedded.EmbeddedServer | None:
        """The embedded server that this client holds."""
        return self._server

    async def upload(self, path: str | Path, unit: str = "mm") -> Part:
        """Send a part: STL, STEP, OBJ or PLY. What the server has already is not sent again.

        unit: of the lengths in files that name none (um, mm, cm, m, in, ft); a unit in the file wins, and the
        report says so. Raises GeometryError where the file can't be read or used.
        """
        file = await LocalFile.of(Path(path).expanduser())
        await self._wire.send_blob(file)
        return await self._wire.create_geometry(file.digest, file.path.name, unit)

    async def part(self, name: str) -> Part:
        """A part that was uploaded before, by its id. Raises NotFound."""
        return await self._wire.get_geometry(name)

    async def simulate(
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
    ) -> AsyncRun:
        """Start a run and return at once.

        accuracy: relative error wished for in the quantities (all, or those named). max_seconds,
        max_unknowns: limits of the computation. surrogate: asked first with method "auto", alone with "surrogate", in
        place of the eight newest; its bounds hold for a share of parts, coverage. shape: boxes that deform the part
        first; selectors speak of where it was before. name, labels: to find the run by. Raises InvalidInput for what
        can't work.
        """
        request = Request(
            accuracy, method, discretisation, quantities, max_seconds, max_unknowns, surrogate, coverage
        )
        info = await self._wire.create_run(part.id, study, request, name, labels or {}, shape=shape)
        return AsyncRun(self._wire, info.name)

    async def run(self, name: str) -> AsyncRun:
        """A run by its name, whoever started it. Raises NotFound."""
        info = await self._wire.get_run(name if "/" in name else f"runs/{name}")
        return AsyncRun(self._wire, info.name)

    async def runs(
        self,
        states: Sequence[RunState] = (),
        part: Part | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[RunInfo, None]:
        """Runs, newest first: all, or those in one of the states, of one part, with all these labels."""
        async for info in self._wire.list_runs(states, "" if part is None else part.id, labels or {}):
            yield info

    async def sweep(
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
    ) -> AsyncSweep:
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
        chosen, space = parts(part, parameters, constraints)
        request = Request(
            accuracy, method, discretisation, quantities, max_seconds, max_unknowns, surrogate, coverage
        )
        asked = SweepRequest(
            chosen,
            study,
            request,
            space,
            tuple(sampling) if isinstance(sampling, Sequence) else (sampling,),
            keep_fields,
            name,
            labels or {},
            tuple(shape),
            None if preview is None else preview.request(request),
        )
        wire = SweepWire(self._wire)
        script = part if isinstance(part, Script) else None
        return AsyncSweep(wire, (await wire.create(asked)).name, space, script)

    async def find_sweep(self, name: str, script: Script | None = None) -> AsyncSweep:
        """A sweep by its name, whoever started it. script: what builds its parts, to go on. Raises NotFound."""
        wire = SweepWire(self._wire)
        info, space, _ = await wire.get(name if "/" in name else f"sweeps/{name}")
        known = {parameter.name for parameter in space.parameters}
        if script is not None and (unknown := set(script.parameters) - known):
            raise InvalidInput(
                f"the script takes {', '.join(sorted(unknown))}, and the parameters of {info.name} are "
                f"{', '.join(sorted(known))}: it is not the one that the sweep was begun with"
            )
        return AsyncSweep(wire, info.name, space, script)

    async def sweeps(self) -> AsyncGenerator[SweepInfo, None]:
        """Sweeps, newest first."""
        async for info in SweepWire(self._wire).list():
            yield info

    async def predict(
        self,
        part: Part,
        study: Study,
        surrogate: str,
        coverage: float = DEFAULT_COVERAGE,
        *,
        quantities: Sequence[str] | None = None,
        shape: Sequence[FreeForm] = (),
    ) -> AsyncResult:
        """The answer of a surrogate alone: numbers with bounds that hold for a share of parts, `coverage`.

        surrogate: "bracket", or a version of it "surrogates/bracket/versions/2". Raises FailedPrecondition for a part
        or a load that it can't know, and NotFound.
        """
        run = await self.simulate(
            part,
            study,
            method="surrogate",
            quantities=quantities,
            surrogate=surrogate,
            coverage=coverage,
            shape=shape,
        )
        return await run.result()

    async def train(
        self,
        surrogate: str,
        data: Data | Sequence[Data] = (),
        networks: int = 3,
        steps: int = 6000,
        seed: int = 0,
        *,
        start: str = "",
        escalated: bool = False,
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> AsyncRun:
        """Start to train a new version of a surrogate, and return at once; `run.surrogate()` waits for it.

        data: sweeps that keep fields, and runs, by themselves or by their names: studies of stress of 30 different
        parts at the least. networks: trained apart, so that their spread says where they guess; steps: of each; seed:
        of what is drawn by chance. start: a surrogate of other parts, whose networks are trained on: of few parts,
        20 at the least, they then know more than new ones. escalated: learn also from all your runs that this
        surrogate was asked of first, and that had to be solved. Raises InvalidInput, FailedPrecondition and NotFound
        for what can't be learned from.
        """
        given = [data] if isinstance(data, str | AsyncRun | AsyncSweep) else list(data)
        names = [each if isinstance(each, str) else each.name for each in given]
        sweeps = [each for each in names if each.startswith("sweeps/")]
        runs = [each if each.startswith("runs/") else f"runs/{each}" for each in names if each not in sweeps]
        asked = Training(surrogate, runs, sweeps, networks, steps, seed, start=start, escalated=escalated)
        info = await self._wire.create_run("", asked, Request(), name, labels or {})
        return AsyncRun(self._wire, info.name)

    async def load_surrogate(self, path: str | Path, name: str) -> AsyncRun:
        """Make what `surrogate.save` wrote a new version of the surrogate `name`, and return at once, as `train` does.

        Raises GeometryError where the file can't be read; the run fails where it is no surrogate.
        """
        file = await LocalFile.of(Path(path).expanduser())
        await self._wire.send_blob(file)
        info = await self._wire.create_run(
            "", Training(name, saved=file.digest), Request(), file.path.name, {}
        )
        return AsyncRun(self._wire, info.name)

    async def import_result(
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
    ) -> AsyncRun:
        """Make an answer of another code a run, as if it had been simulated here, and return at once.

        Surrogates learn from it, and it can be shown and compared; it is checked against the part and the study first.
        path: a mesh with fields at its nodes, .vtu, .vtk or .vtp, or .npz with points (n, 3), triangles (t, 3) and the
        fields; one file for all load cases, with fields "case/displacement" and "case/stress", or one for each as
        {"case": path}, whose fields need no case in their names. error: relative, of its numbers, as its owner knows
        it; code: what has found it, such as "CalculiX 2.21". fields: what fields are called, {"displacement": "U",
        "stress": "S"}; stress has the components xx, yy, zz, xy, yz, zx, or nine. Raises InvalidInput for what can't be
        read; the run fails where the answer is not of this part and study.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "fields.npz"
            await asyncio.to_thread(
                lambda: imported.write(
                    file, foreign.read(path, tuple(study.cases), fields, length_unit, stress_unit)
                )
            )
            sent = await LocalFile.of(file)
            request = Request(imported=Imported(sent.digest, error, code))
            await self._wire.send_blob(sent)
        info = await self._wire.create_run(part.id, study, request, name, labels or {})
        return AsyncRun(self._wire, info.name)

    async def improve(
        self, surrogate: str, sweep: AsyncSweep, designs: int = 20, *, seed: int = 0
    ) -> AsyncSweep:
        """Extend a sweep by the designs that would teach a surrogate most: where it is expected to be furthest off.

        Told by its errors at those designs of the sweep that it was tested on. Train on the sweep again when they have
        ended. seed: of the candidates. Raises NotFound, and FailedPrecondition where too few are known to tell.
        """
        errors = await (await self.surrogate(surrogate)).errors()
        known = [(design, errors.get(design.run, np.nan)) async for design in sweep.designs()]
        space = sweep.space
        points = np.array([
            [parameter.read(design.parameters[parameter.name]) for parameter in space.parameters] for design, _ in known
        ])  # fmt: skip
        wanted = improvement.propose(space, points, np.array([error for _, error in known]), designs, seed)
        await sweep.extend(Points(wanted.tolist()))
        return sweep

    async def surrogate(self, name: str) -> AsyncSurrogate:
        """A surrogate by its name. Raises NotFound."""
        wire = SurrogateWire(self._wire)
        return AsyncSurrogate(wire, await wire.get(name if "/" in name else f"surrogates/{name}"))

    async def surrogates(self) -> AsyncGenerator[AsyncSurrogate, None]:
        """Surrogates by their names, each with its current version."""
        wire = SurrogateWire(self._wire)
        async for view in wire.list():
            yield AsyncSurrogate(wire, view)

    async def materials(self) -> dict[str, Material]:
        """The material library of the server."""
        return await self._wire.list_materials()


def parts(
    part: Part | Choice | Sequence[Part] | Script | ServerScript,
    parameters: Sequence[Parameter],
    constraints: Sequence[str],
) -> tuple[str | Choice | tuple[str, ...] | ServerScript, Space]:
    """The part of a sweep as the wire takes it, and the space, of which a list of parts is a parameter."""
    if isinstance(part, Part):
        return part.id, Space(parameters, constraints)
    if isinstance(part, Script):
        return part.parameters, Space(parameters, constraints)
    if isinstance(part, ServerScript):
        return part, Space(parameters, constraints)
    if not isinstance(part, Choice):
        part = Choice("part", part)
        parameters = (part, *parameters)
    if not all(isinstance(option, Part) for option in part.options):
        raise InvalidInput(f"{part.name} is a choice of parts here: give it what client.upload returns")
    named = dict(zip(part.words, (option.id for option in part.options), strict=True))
    ids = Choice(part.name, named)
    return ids, Space([ids if own is part else own for own in parameters], constraints)


@final
class Opening:
    """A client on its way: `await` it, or enter it with `async with`."""

    def __init__(self, open_client: Callable[[], Awaitable[AsyncClient]]) -> None:
        self._open: Final = open_client
        self._client: AsyncClient | None = None

    def __await__(self) -> Generator[None, None, AsyncClient]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncClient:
        self._client = await self._open()
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


def local(home: str | Path | None = None, timeout: float = 60.0) -> Opening:
    """The embedded server of a home folder, started if need be (embedded.py).

    home: where runs, parts and caches are kept; TWIN_HOME or the user's data folder by default. timeout:
    longest time to wait for the server [s]. Raises Unavailable, with the end of its log, where it does not
    start.
    """

    async def start() -> AsyncClient:
        place = embedded.default_home() if home is None else Path(home)
        server = await asyncio.to_thread(embedded.start_or_join, place, timeout)
        wire = Wire(open_channel(server.target), server.failure)
        try:
            await wait_until_ready(wire.channel, timeout, server.failure)
        except BaseException:
            await wire.close()
            await asyncio.to_thread(server.close)
            raise
        return AsyncClient(wire, server)

    return Opening(start)


def connect(target: str, token: str | None = None, insecure: bool = False, timeout: float = 10.0) -> Opening:
    """A server by its address, "host:port" or "unix:/path".

    To another machine it talks TLS; plaintext only with insecure=True, and never with a token. Raises
    InvalidInput for an address that can't be read, Unavailable where nothing answers within `timeout`
    seconds.
    """

    async def start() -> AsyncClient:
        wire = Wire(open_channel(target, token=token, insecure=insecure))
        try:
            await wait_until_ready(wire.channel, timeout)
        except BaseException:
            await wire.close()
            raise
        return AsyncClient(wire)

    return Opening(start)
