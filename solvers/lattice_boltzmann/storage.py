"""Populations as memory holds them: of 32 bits, or of 16, which half the traffic moves.

They are kept as what they are above those at rest, and at 16 bits as so many times that: what is small has all digits
of the format then, and not those near its lowest exponent. Lehmann et al. 2022, Phys. Rev. E 106:015308.
"""

from collections.abc import Sequence
from typing import Final

import jax.numpy as jnp
from jaxtyping import Array

from solvers.lattice_boltzmann.collision import Populations

_TIMES: Final = 2.0**15  # float16 ends at 65,504: a population at two


def stored(populations: Sequence[Array], dtype: jnp.dtype) -> Populations:
    """To be kept as this type."""
    if dtype != jnp.float16:
        return tuple(populations)
    return tuple((_TIMES * each).astype(dtype) for each in populations)


def loaded(populations: Sequence[Array]) -> Populations:
    """To be computed with."""
    return tuple(
        each.astype(jnp.float32) / _TIMES if each.dtype == jnp.float16 else each for each in populations
    )
