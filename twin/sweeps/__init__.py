"""Sweeps: one question, asked of many designs.

    expressions.py  arithmetic on parameters, as text
    parameters.py   what differs from design to design
    sampling.py     which designs
    space.py        parameters with their constraints
    adaptive.py     which come next: where least is known
    evolution.py    or where the best are
    emulator.py     what a quantity is between the designs
    statistics.py   which parameters matter, which designs nothing beats
    table.py        designs as columns: CSV, Parquet

Nothing here knows the service or computes physics.
"""
