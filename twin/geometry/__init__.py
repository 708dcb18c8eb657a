"""CAD files in, surfaces in metres out; and which part of a surface a selector means.

surface.py      Surface, Patch, Report, closest: what the other rooms see
parse.py        parse: a file in a child process (twin.sandbox), where reader.py runs
formats/        one reader per format
mesh.py         Mesh: a surface under repair
repair.py       welding, doubles, seams.py, small holes; bodies.py: what touches, orientation, cavities
crossings.py    triangles that go through each other
patches.py      faces by feature angle
selection.py    select, Selected: selectors on the true surface (regions.py, nearest.py)
occupancy.py    what is inside
projection.py   nearest points and first hits, by a search tree; subdivision.py: triangles cut into smaller ones
"""

from twin.geometry.surface import Patch, Report, Surface, closest

__all__ = ["Patch", "Report", "Surface", "closest"]
