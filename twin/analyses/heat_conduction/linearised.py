"""A solved load case of heat conduction, ready to be differentiated."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from solvers import quadrature
from solvers.conduction.law import Fourier
from solvers.iteration import Progress
from solvers.law import Law
from solvers.tet10 import sensitivity, steady
from solvers.tet10.sensitivity import Places
from twin.analyses import goals
from twin.analyses.boundary import MeshBoundary
from twin.analyses.derivatives import BodyTerm, FacetTerm, Objective, PrescribedTerm, Term
from twin.analyses.heat_conduction.loads import FLUXES, UNITS, assemble, parameters
from twin.analyses.heat_conduction.on_mesh import Tied, heat_of_supports, set_up
from twin.analyses.linearised import Linearised
from twin.meshing import VolumeMesh
from twin.studies import Convection, HeatConduction, HeatSource, Temperature, ThermalLoad

Floats = NDArray[np.float64]


@final
class LinearisedHeat(Linearised):
    """Temperature (n, 1) [K] above a reference, under the loads of one case."""

    weighs = False

    def __init__(
        self,
        study: HeatConduction,
        law: Fourier,
        mesh: VolumeMesh,
        boundary: MeshBoundary,
        case: str,
        temperature: Floats,
    ):
        loads = study.cases[case]
        self._study, self.mesh, self.law = study, mesh, law
        self._equations = set_up(study, law, mesh, boundary)
        self._zero = self._equations.zero
        self.field = temperature - self._zero
        self._parts = assemble(boundary, {case: loads})[case]
        self.load = sum(self._parts, self._equations.ambient)
        heating = [_load_term(f"loads[{i}]", load, boundary) for i, load in enumerate(loads)]
        self.terms = (*heating, *_support_terms(study, self._equations.tied, self._zero))

    @property
    def problem(self) -> steady.Problem:
        return self._equations.problem

    def objective(self, quantity: str, counted: NDArray[np.int32] | None = None) -> Objective:
        still = np.zeros_like(self.field)
        match quantity:
            case "max_temperature" | "min_temperature":
                node = int(self.field.argmax() if quantity == "max_temperature" else self.field.argmin())
                still[node] = 1
                return Objective(float(self.field[node, 0]) + self._zero, "K", still)
            case "max_heat_flux":
                tets = self.mesh.tets if counted is None else counted
                mean = sensitivity.flux_mean(self.mesh.points, tets, self.law, self.field, goals.EXPONENT)
                return Objective(mean.value, "W/m^2", mean.by_field, mean.by_points, mean.by_law)
            case "heat_flow":
                return self._heat_flow()
        raise ValueError(f"{quantity} has no gradient")

    def _heat_flow(self) -> Objective:
        """What enters by the loads and supports that bring heat in."""
        tied = self._equations.tied
        found = heat_of_supports(self._study, self._equations, self.load, self.field)
        heat = {f"supports[{i}]": brought for i, brought in enumerate(found)}
        heat |= {f"loads[{i}]": float(part.sum()) for i, part in enumerate(self._parts)}
        entering = {name: brought for name, brought in heat.items() if brought > 0}
        # of a given temperature it is a reaction, share . (K u - f): the adjoint is -share where that is held
        share, by_field = np.zeros_like(self.field), np.zeros_like(self.field)
        for number, (support, where) in enumerate(zip(self._study.supports, tied.fluids, strict=True)):
            if f"supports[{number}]" not in entering:
                continue
            if isinstance(support, Convection) and where is not None:
                by_field -= quadrature.traction(where, np.array([[support.coefficient]]), len(share))
            nodes = tied.nodes[number]
            share[nodes] += 1 / tied.claims[nodes][:, None]
        held = {term.name for term in self.terms if isinstance(term, PrescribedTerm)}
        return Objective(
            sum(entering.values()),
            "W",
            by_field,
            work={name: np.ones_like(self.field) for name in entering if name not in held},
            held=-share,
        )

    def solve_adjoint(self, objective: Objective, progress: Progress | None = None) -> Floats:
        held = np.zeros_like(self.field) if objective.held is None else objective.held
        return steady.solve(self.problem, objective.by_field, prescribed=held, progress=progress).field

    def by_material(self, by_law: Law) -> dict[str, float]:
        assert isinstance(by_law, Fourier)
        return {"thermal_conductivity": float(by_law.conductivity)}


def _load_term(name: str, load: ThermalLoad, boundary: MeshBoundary) -> Term:
    units, given = UNITS[type(load)], parameters(load)
    if isinstance(load, HeatSource):
        return BodyTerm(name, units, given, 0.0, _source)
    where = boundary.quadrature(load.on)
    return FacetTerm(name, units, where, given, FLUXES[type(load)])


def _source(given: Mapping[str, Any], density: Any) -> tuple[Any, Any]:
    return given["value"].reshape(1), np.zeros((1, 3))


def _exchange(given: Mapping[str, Any], at: Places) -> Any:
    """Heat per area from a fluid into the part [W/m^2]; its temperature and the field are above the reference."""
    return given["coefficient"] * (given["ambient"] - at.values[0])


def _support_terms(study: HeatConduction, tied: Tied, zero: float) -> list[Term]:
    terms: list[Term] = []
    for number, (support, where) in enumerate(zip(study.supports, tied.fluids, strict=True)):
        name, units = f"supports[{number}]", UNITS[type(support)]
        match support:
            case Temperature():
                nodes = tied.nodes[number]
                moves = {"value": 1 / tied.claims[nodes][:, None]}
                terms.append(PrescribedTerm(name, units, nodes, moves))
            case Convection():
                assert where is not None
                given = parameters(support)
                given["ambient"] = given["ambient"] - zero
                terms.append(FacetTerm(name, units, where, given, _exchange))
    return terms
