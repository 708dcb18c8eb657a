"""A Cartesian grid multigrid that preconditions the elasticity of any mesh laid over it.

grid.py       the hierarchy of grids: cells, how full they are, interpolation between them
chebyshev.py  the smoother
cycle.py      one V-cycle on the grids
auxiliary.py  smoothing on the mesh + V-cycle on the grids (Xu 1996, Computing 56:215)
"""
