"""Small parts with exact values, written in every format by hand."""

from __future__ import annotations

import numpy as np

CUBE_VERTICES = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float64)
CUBE_TRIANGLES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ]
)  # fmt: skip


def stl_binary(vertices: np.ndarray, triangles: np.ndarray, header: bytes = b"") -> bytes:
    records = np.zeros(
        len(triangles), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")]
    )
    records["corners"] = vertices[triangles]
    return header.ljust(80, b" ") + len(triangles).to_bytes(4, "little") + records.tobytes()


def stl_ascii(vertices: np.ndarray, triangles: np.ndarray, name: str = "part") -> bytes:
    facets = "".join(
        "facet normal 0 0 0\n outer loop\n"
        + "".join("  vertex {:.17g} {:.17g} {:.17g}\n".format(*vertices[i]) for i in triangle)
        + " endloop\nendfacet\n"
        for triangle in triangles
    )
    return f"solid {name}\n{facets}endsolid {name}\n".encode()


def obj(vertices: np.ndarray, faces: list[list[int]]) -> bytes:
    lines = ["mtllib /etc/passwd", *("v {:.17g} {:.17g} {:.17g}".format(*v) for v in vertices)]
    return "\n".join([*lines, *("f " + " ".join(str(i + 1) for i in face) for face in faces)]).encode()


def ply(vertices: np.ndarray, faces: list[list[int]], order: str = "<") -> bytes:
    form = {"<": "binary_little_endian", ">": "binary_big_endian", "": "ascii"}[order]
    header = (
        f"ply\nformat {form} 1.0\ncomment by hand\nelement vertex {len(vertices)}\nproperty double x\n"
        f"property double y\nproperty double z\nelement face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    if not order:
        rows = [" ".join(repr(float(c)) for c in v) for v in vertices]
        rows += [" ".join(str(i) for i in (len(face), *face)) for face in faces]
        return header + "\n".join(rows).encode() + b"\n"
    body = vertices.astype(order + "f8").tobytes()
    return (
        header + body + b"".join(bytes([len(f)]) + np.array(f, dtype=order + "i4").tobytes() for f in faces)
    )


def off(vertices: np.ndarray, faces: list[list[int]], header: str = "OFF", colour: str = "") -> bytes:
    rows = [" ".join(repr(float(c)) for c in v) + colour for v in vertices]
    rows += [" ".join(str(i) for i in (len(face), *face)) + "  # a face" for face in faces]
    return "\n".join([header, f"{len(vertices)} {len(faces)} 0", "", *rows]).encode()


def off_binary(vertices: np.ndarray, faces: list[list[int]]) -> bytes:
    counts = np.array([len(vertices), len(faces), 0], dtype=">i4").tobytes()
    body = b"".join(np.array([len(face), *face, 0], dtype=">i4").tobytes() for face in faces)
    return b"OFF BINARY\n" + counts + vertices.astype(">f4").tobytes() + body
