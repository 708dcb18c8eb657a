"""Isosurface stuffing (Labelle & Shewchuk 2007): tetrahedra for any surface, however dirty, by its winding number."""
