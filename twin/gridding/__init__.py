"""From a surface, in whatever state, to the cells of a grid that it fills: no mesher, no repair."""

from twin.gridding.fill import fill

__all__ = ["fill"]
