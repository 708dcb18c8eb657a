"""CAD files in, surfaces in metres out; and which part of a surface a selector means.

surface.py      Surface, Patch, Report, closest: what the other rooms see
parse.py        parse: a file in a limited child process (child.py), where reader.py runs
formats/        one reader per format
repair.py       welding, doubles, orientation (bodies.py), small holes
patches.py      faces by feature angle
selection.py    select, Selected: selectors on the true surface (regions.py, nearest.py)
"""

from twin.geometry.surface import Patch, Report, Surface, closest

__all__ = ["Patch", "Report", "Surface", "closest"]
