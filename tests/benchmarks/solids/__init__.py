"""Time from mesh to stress beside other codes, on one mesh of quadratic tetrahedra: `make bench-solids`.

case.py        the problem that everyone is given, as arrays
bracket.py     the part: shape, mesh, supports and loads
contenders.py  who takes part, and how to get them
peers/         one file for each: arrays in, displacement and stress out
child.py       one contender in a fresh process
supervise.py   its limits on time and memory
machine.py     what it all runs on; bandwidth of the memory
matvec.py      share of that bandwidth that our matrix-vector product reaches
table.py       results -> Markdown
"""
