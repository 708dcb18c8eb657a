"""Quadratic tetrahedra: the reference element, meshes of them, and quadrature on their facets.

Node order is VTK's: four corners, then the midsides of the edges (0,1) (1,2) (2,0) (0,3) (1,3) (2,3).
"""
