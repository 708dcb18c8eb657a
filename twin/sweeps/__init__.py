"""Sweeps: one question, asked of many designs.

    expressions.py  arithmetic on parameters, as text
    parameters.py   what differs from design to design
    sampling.py     which designs
    space.py        parameters with their constraints
    plan.py         from a point in the space to what a run is asked
    table.py        designs as columns: CSV, Parquet

Nothing here knows the service or computes physics.
"""
