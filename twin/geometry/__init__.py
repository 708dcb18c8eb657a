"""CAD files in, surfaces in metres out; and which part of a surface a selector means."""

from twin.geometry.surface import Patch, Report, Surface, closest

__all__ = ["Patch", "Report", "Surface", "closest"]
