"""What turns a part and a study into an outcome.

run.py         one run, from the checks to the outcome
task.py        what was asked, how much time is left, whom to tell
analysis.py    what is particular to a physics; static_stress/ and heat_conduction/ are those
checks.py      what is refused of any study
on_mesh.py     tetrahedra that follow the surface: a first mesh, and one for the accuracy
  resolution.py          element sizes for a requested accuracy
  boundary.py            the mesh's boundary, in terms of the part's own faces
on_grid.py     ever finer grids that the surface cuts
  immersed_boundary.py   the surface in the cells
  springs.py             what holds there
solution.py    what is left behind on one mesh or grid
estimates.py   how far the numbers are off
summary.py     the outcome
spread.py      points for what is drawn
monitor.py     how an analysis reports progress and hears of a cancel
"""
