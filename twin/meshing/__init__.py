"""Volume meshes of parts: quadratic tetrahedra by a ladder of generators, each in a child process."""

from twin.meshing.ladder import mesh_volume
from twin.meshing.volume_mesh import VolumeMesh

__all__ = ["VolumeMesh", "mesh_volume"]
