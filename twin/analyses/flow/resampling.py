"""The flow that was found in some boxes of cells, as that in others begins."""

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.scheme import State
from twin.analyses.flow.lattice import Box, Lattice
from twin.analyses.flow.simulation import Simulation

Floats = NDArray[np.float64]


def resampled(found: Simulation[Lattice], lattice: Lattice) -> tuple[State, ...]:
    """Its means, linear between their cells, in equilibrium, in a lattice of the same part and flow."""
    before = found.lattice
    columns = [
        np.stack([before.scales.pressure * of.pressure, *(before.scales.speed * of.velocity)])
        for of in found.means
    ]
    within = distance_transform_edt(before.solid, return_distances=False, return_indices=True)
    columns[-1][0] = columns[-1][0][tuple(within)]  # the pressure does not fall towards walls
    states = []
    for box, scheme, given in zip(lattice.boxes, lattice.schemes, lattice.conditions, strict=True):
        values = np.zeros((4, *box.grid.shape))
        for old, fields in zip(before.boxes, columns, strict=True):
            _put(values, box, old, fields, everywhere=old is before.boxes[0])
        density = 3 * values[0] / lattice.scales.pressure
        velocity = values[1:] / lattice.scales.speed
        states.append(
            flow.begun(scheme, given, jnp.asarray(density, jnp.float32), jnp.asarray(velocity, jnp.float32))
        )
    return tuple(states)


def _put(values: Floats, box: Box, old: Box, fields: Floats, *, everywhere: bool) -> None:
    """What the fields (k, x, y, z) of an old box are, where a box is between its cells; or those of the nearest."""
    places, chosen = [], []
    for axis, count in enumerate(box.grid.shape):
        place = (box.origin[axis] + box.spacing * np.arange(count) - old.origin[axis]) / old.spacing
        inside = (place >= 0) & (place <= old.grid.shape[axis] - 1) | everywhere
        places.append(place[inside])
        chosen.append(np.flatnonzero(inside))
    at = np.stack(np.meshgrid(*places, indexing="ij"))
    for value, column in zip(values, fields, strict=True):
        value[np.ix_(*chosen)] = map_coordinates(column, at, order=1, mode="nearest")
