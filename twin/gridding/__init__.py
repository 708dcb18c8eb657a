"""From a surface, in whatever state, to the cells of a grid that it fills: no mesher, no repair."""

from twin.gridding.fill import enclosed_volume, fill

__all__ = ["enclosed_volume", "fill"]
