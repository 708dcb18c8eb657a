"""Steady heat conduction.

The field is temperature above a reference, so that no digits are lost to an absolute scale.

analysis.py    what meshes, grids and reports need to know of it
checks.py      what is refused before anything is computed
on_mesh.py     on tetrahedra: held nodes, convection as a foundation
on_grid.py     on the cells of a grid: springs on the surface
loads.py       loads -> nodal heat
linearised.py  a solved case, ready to be differentiated
quantities.py  the numbers that are reported
glyphs.py      supports and loads as drawn
"""
