"""Learned models that answer in milliseconds where they can be trusted. Imports `solvers` only."""
