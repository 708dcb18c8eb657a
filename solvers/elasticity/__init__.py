"""Linear elasticity on quadratic tetrahedra and on grids: the model, its solution, stresses and their errors.

model.py      the discrete problem: mesh, material, constraints, springs
stiffness.py  its operator, never assembled
loads.py      consistent nodal forces of body loads and of tractions on facets
constraints.py  nodes held along directions; which rigid motions stay free
static.py     displacement of a load case
coupling.py   rigid regions
recovery.py   nodal stress and the error of the solution
invariants.py von Mises stress
immersed.py   the same problem on a grid that the surface cuts
"""
