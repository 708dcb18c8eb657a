"""Steady heat conduction: temperatures, heat flux and how far they can be trusted."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.conduction.law import Fourier, fourier
from solvers.cutcell.cells import FilledCells
from solvers.law import Recovered
from solvers.precision import float64
from twin.analyses import materials
from twin.analyses.analysis import Analysis, CaseSolution, Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.estimates import Trust, Values
from twin.analyses.heat_conduction import checks, glyphs, on_grid, on_mesh, quantities
from twin.analyses.heat_conduction.linearised import LinearisedHeat
from twin.analyses.heat_conduction.loads import conductivities, given_temperatures
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.singularities import GUIDED, Grip
from twin.analyses.task import Regions, Task
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.quantities import Field, Location, Quantity
from twin.results.outcome import CaseOutcome, Glyph
from twin.select import describe
from twin.studies import Convection, HeatConduction, Request, Temperature

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class HeatConductionAnalysis(Analysis[HeatConduction]):
    """The field is temperature [K]; the solvers' flux is heat flux [W/m^2] against its direction."""

    subject = "heat conduction"
    components = 1
    numbers = ("max_temperature", "min_temperature", "heat_flow", "max_heat_flux")
    asked = ("max_temperature", "min_temperature", "heat_flow")
    severity = "max_temperature"
    peak = "max_heat_flux"
    peaks = frozenset(("max_heat_flux",))

    @cached_property
    def laws(self) -> tuple[Fourier, ...]:
        return tuple(map(float64(fourier), conductivities(self.study)))

    def check(self, surface: Surface, request: Request) -> Regions:
        return checks.check(surface, self.study)

    def solve_on_mesh(
        self, task: Task, mesh: VolumeMesh, boundary: MeshBoundary, span: Span
    ) -> dict[str, CaseSolution]:
        return on_mesh.solve(task, self.study, self.law_of(mesh.material), mesh, boundary, span)

    def solve_on_grid(
        self, task: Task, cells: FilledCells, boundary: ImmersedBoundary, span: Span
    ) -> dict[str, CaseSolution]:
        return on_grid.solve(task, self.study, self.laws[0], cells, boundary, span)

    def linearise(
        self, mesh: VolumeMesh, boundary: MeshBoundary, case: str, found: CaseOutcome
    ) -> LinearisedHeat:
        temperature = found.fields["temperature"].values
        return LinearisedHeat(self.study, self.laws[0], mesh, boundary, case, temperature)

    def grips(self, regions: Regions) -> list[Grip]:
        held = [(None, support, region) for support, region in regions.supports]
        heated = [(case, load, region) for case, load, region in regions.loads if region]
        return [
            Grip(
                f"{type(item).__name__} on {describe(item.on)}",
                item.on,
                region,
                GUIDED,
                value=item.value if isinstance(item, Temperature) else None,
                exchanges=isinstance(item, Convection),
                case=case,
            )
            for case, item, region in [*held, *heated]
        ]

    def measure(self, trust: Trust, zone: Ints, case: CaseSolution) -> Values:
        return quantities.measure(trust, zone, case, given_temperatures(self.study))

    def decisive(self, request: Request) -> dict[str, float]:
        return dict.fromkeys(request.quantities or self.asked, 1.0)

    def quantities(
        self, measured: Mapping[str, Quantity], case: CaseSolution, volume: Quantity, shares: Floats
    ) -> dict[str, Quantity]:
        return dict(measured)

    def fields(self, field: Floats, flux: Floats, location: Location) -> dict[str, Field]:
        return {
            "temperature": Field("temperature", field, "K", location),
            "heat_flux": Field("heat_flux", -flux, "W/m^2", location),
        }

    def error_fields(self, flux: Recovered) -> dict[str, Field]:
        return {
            "heat_flux_error": Field("heat_flux_error", flux.nodal_error[:, None], "W/m^2", "node"),
            "energy_error": Field("energy_error", flux.element_error[:, None], "W K", "cell"),
        }

    def glyphs(self, surface: Surface, regions: Regions) -> tuple[Glyph, ...]:
        return glyphs.glyphs(regions)

    def assumptions(self) -> tuple[str, ...]:
        said = [
            f"{material.name or 'custom'}, thermal conductivity {material.thermal_conductivity:.4g} W/(m K)"
            for material in self.study.materials
        ]
        return (
            "Steady state; Fourier's law with a conductivity that does not depend on the temperature; no radiation; "
            "surfaces that no support or load names are insulated.",
            *materials.assumed(self.study, said),
        )
