"""What would make this bracket stiffer? Prints what its deflection changes by per millimetre, and what that weighs."""

import bracket
import numpy as np

import twin

underside = twin.select.plane((0, 0, 0), normal=(0, 0, 1))
pin = twin.select.cylinder((0, 0, "40 mm"), axis=(0, 1, 0), radius="8.1 mm")
study = twin.StaticStress(
    material="Ti-6Al-4V",
    supports=[twin.Fixed(on=underside)],
    loads=[twin.Force(("3 kN", "-1 kN", "18 kN"), on=pin)],
)
with twin.local() as client:
    part = client.upload(bracket.main(), unit="mm")
    result = client.simulate(part, study, accuracy=0.05, discretisation="tet").result()
    vertices = result.mesh.surface_vertices
    front = abs(vertices[:, 1] + 6e-3) < 1e-6  # the flat face of the upright
    thicker = np.where(front[:, None], (0, -1, 0), (0, 0, 0))  # metres of motion per metre of thickness
    deflection = result.gradient("max_displacement", wrt="shape", velocities=thicker)
    mass = result.gradient("mass", wrt="shape", velocities=thicker)
    adjoint = result.gradient("max_displacement", wrt="shape").cost.seconds
    print(
        f"the last solution took {result.convergence[-1].seconds:.1f} s, the gradient {sum(adjoint.values()):.1f} s"
    )
    print(f"{deflection * 1e3:+.3g} µm of {result.quantities['max_displacement']} and {mass:+.3g} g per mm")
