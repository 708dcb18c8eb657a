"""Trilinear hexahedra of a Cartesian grid, whole or cut by a part's surface.

A cell has unit edge and its corners at `element.CORNERS`; what of it is filled is given by the moments of that part.
"""
