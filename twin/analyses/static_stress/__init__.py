"""Linear static stress.

analysis.py    what meshes, grids and reports need to know of it
checks.py      what is refused before anything is computed
on_mesh.py, supports.py             on tetrahedra: supports -> held nodes and foundations
on_grid.py, immersed_supports.py    on the cells of a grid: supports -> springs on the surface
loads.py       loads -> nodal forces
balance.py     loads against reactions
linearised.py  a solved case, ready to be differentiated
quantities.py  the numbers that are reported
glyphs.py      supports and loads as drawn
"""
