"""Quadratic tetrahedra, for any linear law.

element.py, geometry.py, mesh.py, faces.py, facets.py  the reference element, meshes of it, quadrature on their facets
model.py      the discrete problem: mesh, law, what is held, springs
stiffness.py  its operator, never assembled
loads.py      body forces, springs on facets
steady.py     set-up and solution
batch.py      many solutions by one program: load cases, materials, morphed shapes
recovery.py   nodal fluxes and the error of the solution
sensitivity.py  derivatives with respect to shape and law, for adjoints

Node order is VTK's: four corners, then the midsides of the edges (0,1) (1,2) (2,0) (0,3) (1,3) (2,3).
"""
