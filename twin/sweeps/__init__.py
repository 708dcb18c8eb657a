"""Sweeps: one question, asked of many designs.

    expressions.py  arithmetic on parameters, as text
    parameters.py   what differs from design to design
    space.py        parameters with their constraints
    sampling.py     which designs
    sequences.py    ... evenly, as many as it may be
    sequential.py   samplings that choose by what was found
    adaptive.py     ... where least is known
    evolution.py    ... where the best are
    descent.py      ... along the slopes
    bayesian.py     ... where an improvement is most to be expected
    goals.py        what the best are
    emulator.py     what a quantity is between the designs
    statistics.py   which parameters matter, which designs nothing beats
    table.py        designs as columns: CSV, Parquet

Nothing here knows the service or computes physics.
"""
