"""Hexahedra of a Cartesian grid, whole or cut by a part's surface, for any linear law.

element.py   hexahedra of first and second order, quadrature over the filled part of a cell
cells.py     which cells there are, what of them is filled, and the nodes
stiffness.py that of cells, compiled
held.py      what holds the field on the surface: springs, and Nitsche's method
immersed.py  set-up and solution
recovery.py  fluxes at the nodes, and their error
"""
