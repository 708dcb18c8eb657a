"""Linear elasticity: what is its own beside the engine that all laws share.

law.py        Hooke's law
cell.py       stiffness of a grid's cells, which bend without shear
invariants.py von Mises stress
constraints.py  nodes held along directions; which rigid motions stay free
coupling.py   forces and moments at a distance: shared out, or on rigid regions; immersed_coupling.py: on grids
"""
