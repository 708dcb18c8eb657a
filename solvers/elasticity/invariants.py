"""Numbers of a stress that no choice of axes changes."""

from typing import TypeVar

import numpy as np
from jaxtyping import Array

Components = TypeVar("Components", np.ndarray, Array)


def von_mises(stress: Components) -> Components:
    """Von Mises stress [Pa] of stresses (..., 6) with components xx yy zz xy yz zx."""
    xx, yy, zz, xy, yz, zx = (stress[..., k] for k in range(6))
    normal = ((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) / 2
    return (normal + 3 * (xy**2 + yz**2 + zx**2)) ** 0.5
