"""The discrete problem of linear elasticity."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, pad
from solvers.hex8.element import FULL
from solvers.hex8.stiffness import stiffness
from solvers.tet10.mesh import TetMesh

cell_stiffness = eqx.filter_jit(stiffness)


class Lame(eqx.Module):
    """Isotropic linear elasticity: Lamé's first parameter and the shear modulus [Pa]."""

    first: Float[Array, ""]
    shear: Float[Array, ""]


def lame(youngs_modulus: float, poissons_ratio: float) -> Lame:
    """Lamé parameters from Young's modulus [Pa] and Poisson's ratio in (-1, 0.5)."""
    first = youngs_modulus * poissons_ratio / ((1 + poissons_ratio) * (1 - 2 * poissons_ratio))
    shear = youngs_modulus / (2 * (1 + poissons_ratio))
    return Lame(jnp.asarray(first, jnp.float64), jnp.asarray(shear, jnp.float64))


def unit_stiffness(material: Lame) -> Float[np.ndarray, "24 24"]:
    """Stiffness of a full grid cell of unit edge [N/m per m]; that of edge h is h times it."""
    return np.asarray(cell_stiffness(jax.device_put(FULL[None]), material.first, material.shear)[0])


class Springs(eqx.Module):
    """Elastic foundation: stiffness of facets against a fixed ground.

    nodes: node numbers of each facet; padding facets have zero stiffness
    stiffness: [N/m]
    """

    nodes: Int[Array, "facet 6"]
    stiffness: Float[Array, "facet 6 6 3 3"]


def springs(nodes: Int[np.ndarray, "f 6"], stiffness: Float[np.ndarray, "f 6 6 3 3"]) -> Springs | None:
    """Padded springs, or None where there are none."""
    if len(nodes) == 0:
        return None
    count = bucket(len(nodes), 64, growth=2)
    return Springs(jnp.asarray(pad(nodes.astype(np.int32), count)), jnp.asarray(pad(stiffness, count)))


class Model(eqx.Module):
    """What a load case is solved on.

    free: per node, the projector onto the directions in which it may move; zero for padding nodes
    """

    mesh: TetMesh
    material: Lame
    free: Float[Array, "node 3 3"]
    springs: Springs | None

    def astype(self, dtype: jnp.dtype) -> "Model":
        """The same model in another precision."""
        return Model(
            self.mesh.astype(dtype),
            Lame(self.material.first.astype(dtype), self.material.shear.astype(dtype)),
            self.free.astype(dtype),
            self.springs and Springs(self.springs.nodes, self.springs.stiffness.astype(dtype)),
        )
