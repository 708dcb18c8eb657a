"""The discrete problem: a mesh, a material law, what is held, and springs."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, pad
from solvers.law import Law
from solvers.tet10.mesh import TetMesh


class Springs(eqx.Module):
    """Facets that something holds in proportion to their field: elastic foundations, convection.

    nodes: node numbers of each facet; padding facets have zero stiffness
    """

    nodes: Int[Array, "facet 6"]
    stiffness: Float[Array, "facet 6 6 k k"]


def springs(nodes: Int[np.ndarray, "f 6"], stiffness: Float[np.ndarray, "f 6 6 k k"]) -> Springs | None:
    """Padded springs, or None where there are none."""
    if len(nodes) == 0:
        return None
    count = bucket(len(nodes), 64, growth=2)
    return Springs(jnp.asarray(pad(nodes.astype(np.int32), count)), jnp.asarray(pad(stiffness, count)))


class Model(eqx.Module):
    """What a load case is solved on.

    free: per node, the projector onto the directions in which its field may change; zero for padding nodes
    """

    mesh: TetMesh
    law: Law
    free: Float[Array, "node k k"]
    springs: Springs | None

    def astype(self, dtype: jnp.dtype) -> "Model":
        """The same model in another precision."""
        return Model(
            self.mesh.astype(dtype),
            self.law.astype(dtype),
            self.free.astype(dtype),
            self.springs and Springs(self.springs.nodes, self.springs.stiffness.astype(dtype)),
        )
