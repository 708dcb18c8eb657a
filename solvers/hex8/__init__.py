"""Trilinear hexahedra of a Cartesian grid, whole or cut by a part's surface, for any linear law.

element.py   the hexahedron and integrals over the filled part of its cell
cells.py     which cells there are, and what of them is filled
stiffness.py that of cells, compiled
immersed.py  set-up and solution
recovery.py  fluxes at the nodes, and their error

A cell has unit edge and its corners at `element.CORNERS`; what of it is filled is given by the moments of that part.
"""
