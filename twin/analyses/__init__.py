"""What turns a part and a study into an outcome: one module per physics.

static_stress.py  linear static stress
checks.py         what is refused before anything is computed
resolution.py     element sizes for a requested accuracy
boundary.py       the mesh's boundary, in terms of the part's own faces
supports.py       supports -> held nodes and foundations
loads.py          loads -> nodal forces
quantities.py     the numbers that are reported, and their errors
fields.py         fields on the mesh and on the uploaded surface
glyphs.py         supports and loads as drawn
monitor.py        how an analysis reports progress and hears of a cancel
"""
