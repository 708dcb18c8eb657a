"""What turns a part and a study into an outcome, and an outcome into a gradient.

run.py         one run, from the checks to the outcome
together.py    many runs that differ in their load cases alone
task.py        what was asked, how much time is left, whom to tell
analysis.py    what is particular to a physics of the part itself; static_stress/ and heat_conduction/ are those
external_flow/, internal_flow/   flow round a part, and through one
  flow/                  what they have in common: a part in boxes of cells
checks.py      what is refused of any study
singularities.py   where the flux has no bound
on_mesh.py     tetrahedra that follow the surface: a first mesh, and finer ones until the accuracy is met
  resolution.py          element sizes for a requested accuracy
  boundary.py            the mesh's boundary, in terms of the part's own faces
on_grid.py     ever finer grids that the surface cuts
  immersed_boundary.py   the surface in the cells
  springs.py             what holds there
peaks.py       where the largest flux is looked for
solution.py    what is left behind on one mesh or grid
goals.py       what is asked of a field, as the load of its dual problem
estimates.py   how far the numbers are off
summary.py     the outcome
gradient.py    one run for a gradient
  linearised.py          a solved load case, ready to be differentiated
  derivatives.py         what a quantity changes by, term by term of the equations
spread.py      points for what is drawn
monitor.py     how an analysis reports progress and hears of a cancel
"""
