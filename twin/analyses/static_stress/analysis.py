"""Linear static stress: displacements, stresses and how far they can be trusted."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import FilledCells
from solvers.elasticity.invariants import von_mises
from solvers.elasticity.law import Lame, lame
from solvers.law import Recovered
from solvers.precision import float64
from twin.analyses import materials
from twin.analyses.analysis import Analysis, CaseSolution, Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.estimates import Trust, Values
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.singularities import Grip
from twin.analyses.static_stress import checks, glyphs, on_grid, on_mesh, quantities, supports
from twin.analyses.static_stress.linearised import LinearisedStress
from twin.analyses.task import Regions, Task
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.quantities import Field, Location, Quantity
from twin.results.outcome import CaseOutcome, Equilibrium, Glyph
from twin.studies import Request, StaticStress

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class StaticStressAnalysis(Analysis[StaticStress]):
    """The field is displacement [m], its flux stress [Pa]."""

    subject = "static stress"
    components = 3
    numbers = ("max_displacement", "max_von_mises", "compliance", "mass", "safety_factor", "reaction_force")
    asked = ("max_displacement", "max_von_mises", "compliance")
    severity = peak = "max_von_mises"
    peaks = frozenset(("max_von_mises", "safety_factor"))

    @cached_property
    def laws(self) -> tuple[Lame, ...]:
        return tuple(float64(lame)(m.youngs_modulus, m.poissons_ratio) for m in self.study.materials)

    def check(self, surface: Surface, request: Request) -> Regions:
        return checks.check(surface, self.study, request)

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
    ) -> LinearisedStress:
        displacement = found.fields["displacement"].values
        return LinearisedStress(self.study, self.laws[0], mesh, boundary, case, displacement)

    def grips(self, regions: Regions) -> list[Grip]:
        return supports.grips(regions)

    def measure(self, trust: Trust, zone: Ints, case: CaseSolution) -> Values:
        return quantities.measure(trust, zone, case, self.study.materials)

    def decisive(self, request: Request) -> dict[str, float]:
        names = dict.fromkeys(request.quantities or self.asked, 1.0)
        if names.pop("safety_factor", None):
            # off by e / (1 - e) where the stress is off by e
            names[quantities.governing(self.study.materials)] = 1 + request.accuracy
        return names

    def quantities(
        self, measured: Mapping[str, Quantity], case: CaseSolution, volume: Quantity, shares: Floats
    ) -> dict[str, Quantity]:
        assert isinstance(case.balance, Equilibrium)
        return quantities.quantities(measured, case.balance, volume, shares, self.study.materials)

    def fields(self, field: Floats, flux: Floats, location: Location) -> dict[str, Field]:
        return {
            "displacement": Field("displacement", field, "m", location),
            "stress": Field("stress", flux, "Pa", location),
            "von_mises": Field("von_mises", von_mises(flux)[:, None], "Pa", location),
        }

    def error_fields(self, flux: Recovered) -> dict[str, Field]:
        return {
            "von_mises_error": Field("von_mises_error", flux.nodal_error[:, None], "Pa", "node"),
            "energy_error": Field("energy_error", flux.element_error[:, None], "J", "cell"),
        }

    def glyphs(self, surface: Surface, regions: Regions) -> tuple[Glyph, ...]:
        return glyphs.glyphs(surface, regions)

    def assumptions(self) -> tuple[str, ...]:
        said = [
            f"{material.name or 'custom'}, E {material.youngs_modulus / 1e9:.4g} GPa, Poisson's ratio "
            f"{material.poissons_ratio:.4g}, density {material.density:.5g} kg/m³"
            for material in self.study.materials
        ]
        return (
            "Linear elasticity: small displacements and strains, no plasticity, no contact, no buckling.",
            *materials.assumed(self.study, said),
        )
