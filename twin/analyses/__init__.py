"""What turns a part and a study into an outcome: one module per physics.

static_stress.py  linear static stress
task.py           one run while it is worked on
checks.py         what is refused before anything is computed
on_mesh.py        solved on tetrahedra that follow the surface
  resolution.py     element sizes for a requested accuracy
  boundary.py       the mesh's boundary, in terms of the part's own faces
  supports.py       supports -> held nodes and foundations
on_grid.py        solved on the cells of a grid that the surface cuts
  immersed_boundary.py, immersed_supports.py   the surface in the cells, supports as springs on it
loads.py          loads -> nodal forces
solution.py       what is left behind on one mesh or grid
quantities.py     the numbers that are reported, and their errors
summary.py        the outcome
glyphs.py         supports and loads as drawn
monitor.py        how an analysis reports progress and hears of a cancel
"""
