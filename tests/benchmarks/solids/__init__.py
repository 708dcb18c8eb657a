"""Solids: time from mesh to stress beside other codes, batches, growth with size: `make bench-solids`.

bench.py       its parts, each measured in children
case.py        the problem that everyone is given, as arrays
bracket.py     the part: shape, mesh, supports and loads
block.py       another, of any size and without a mesher
contenders.py  who takes part, and how to get them
peers/         one file for each: arrays in, displacement and stress out
child.py       one contender in a fresh process
supervise.py   its limits on time and memory
machine.py     what it all runs on; bandwidth of the memory
memory.py      the most that was held, here or on a device
matvec.py      share of that bandwidth that our matrix-vector product reaches
batches.py     many loads, materials and shapes at once
growth.py      cost against size: fit and picture
cantilever.py  FEAX's own, on the grid
device.py, device_parts.py  all of it on a lent GPU: python -m tests.benchmarks.solids.device
traffic.py, hlo.py, h200.txtpb  kernels and bytes of programs compiled for a GPU that is not there
table.py, own_table.py  results -> Markdown
"""
