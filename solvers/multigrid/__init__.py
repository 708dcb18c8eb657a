"""A Cartesian grid multigrid: it solves any law on grids, and preconditions it on any mesh laid over them.

grid.py       the hierarchy of grids: cells, their stiffness, interpolation between levels
chebyshev.py  the smoother
cycle.py      one V-cycle on the grids, by itself a preconditioner of the finest
beneath.py    the grid beneath a mesh
auxiliary.py  smoothing on the mesh + V-cycle on the grids (Xu 1996, Computing 56:215)
"""
