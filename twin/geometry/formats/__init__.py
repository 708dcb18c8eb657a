"""Readers of geometry files, one per format: bytes in, a soup of triangles out. They open nothing themselves.

A reader is `read(data: bytes) -> Soup`; which one reads a file is decided by `READERS` in `detect.py`.
"""
