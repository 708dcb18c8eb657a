"""Steady heat conduction: Fourier's law. Everything else is the engine's."""
