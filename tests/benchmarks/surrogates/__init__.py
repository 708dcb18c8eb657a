"""Surrogates: how far off, how honest, how fast; beside others that had the same data and the same time."""
