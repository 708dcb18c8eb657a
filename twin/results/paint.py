"""Pixels of the part and of the solids on it, shaded, on white."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.results.raster import View, Visibility, barycentric, visible
from twin.results.scene import Solid
from twin.results.skin import Skin, edge_normals, face_normals

Floats = NDArray[np.floating]
Indices = NDArray[np.int64]

FEATURE_ANGLE = np.radians(30.0)
_HATCH, _PALE = 15, 0.55  # pixels from stripe to stripe; how much of the colour between them is white
_HIDDEN = 0.2  # how much of a load or support behind the part shines through


def smooth_normals(skin: Skin, points: Floats) -> tuple[Floats, Indices]:
    """Unit normals (k, 3) and the one to use at each corner (t, 3) of `Skin.triangles`.

    Averaged within faces that meet smoothly, broken at feature edges.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    first, second = edge_normals(skin, points)
    smooth = (first * second).sum(axis=1) > np.cos(FEATURE_ANGLE)
    _, owners = skin.edges
    links = owners[smooth]
    graph = coo_matrix((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(skin.faces),) * 2)
    _, patch = connected_components(graph, directed=False)
    triangles = skin.triangles
    keys = np.repeat(patch, 4).astype(np.int64)[:, None] * len(points) + triangles
    unique, corner = np.unique(keys, return_inverse=True)
    corner = corner.reshape(-1, 3).astype(np.int64)
    flat = face_normals(points, triangles)
    normals = np.stack(
        [np.bincount(corner.ravel(), np.repeat(flat[:, k], 3), len(unique)) for k in range(3)], axis=1
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=1), 1e-300)[:, None], corner


def feature_edges(skin: Skin, points: Floats, toward: Floats) -> tuple[Indices, Indices]:
    """Edges (k, 3) to draw: where faces meet at an angle, and of the outline as seen from `toward`."""
    edges, owners = skin.edges
    first, second = edge_normals(skin, points)
    sharp = (first * second).sum(axis=1) < np.cos(FEATURE_ANGLE)
    flat = face_normals(points, skin.faces[:, :3]) @ toward
    outline = (flat[owners[:, 0]] > 0.0) != (flat[owners[:, 1]] > 0.0)
    return edges[sharp], edges[outline & ~sharp]


def paint(
    view: View,
    skin: Skin,
    points: Floats,
    values: Floats,
    color: Callable[[Floats], Floats],
    solids: Sequence[Solid],
    hatched: Floats | None = None,
) -> tuple[NDArray[np.uint8], Floats, Visibility]:
    """Image (h, w, 3), the depth that hides lines (h, w), and what is seen of the part alone.

    points (n, 3), values (n,): at the nodes of the skin; color: values (p,) -> sRGB (p, 3); hatched (n,): below 1
    where the values mean nothing.
    """
    projected, triangles = view.project(points), skin.triangles
    part = visible(projected, triangles, view.width, view.height)
    normals, normal_of = smooth_normals(skin, points)
    image = np.ones((view.height, view.width, 3))
    row, column = np.nonzero(part.triangle >= 0)
    which = part.triangle[row, column]
    weights = barycentric(projected, triangles[which], column + 0.5, row + 0.5)
    seen_values = np.einsum("pk,pk->p", weights, values[triangles[which]])
    normal = np.einsum("pk,pkc->pc", weights, normals[normal_of[which]])
    painted = color(seen_values) * _shade(normal, view)[:, None]
    if hatched is not None:
        inside = np.einsum("pk,pk->p", weights, hatched[triangles[which]]) < 1.0
        stripe = inside & ((row + column) % _HATCH < _HATCH / 3)
        painted[inside] = _PALE + (1.0 - _PALE) * painted[inside]
        painted[stripe] = 0.25
    image[row, column] = painted

    depth = part.depth.copy()
    for solid in solids:
        placed = view.project(solid.points)
        seen = visible(placed, solid.triangles, view.width, view.height)
        row, column = np.nonzero(seen.triangle >= 0)
        if len(row) == 0:
            continue
        flat = face_normals(solid.points, solid.triangles[seen.triangle[row, column]])
        painted = np.asarray(solid.color) * _shade(flat, view, 0.55)[:, None]
        _halo(image, depth, seen)
        ahead = seen.depth[row, column] <= depth[row, column]
        opacity = np.where(ahead, 1.0, _HIDDEN)[:, None]
        image[row, column] = opacity * painted + (1.0 - opacity) * image[row, column]
        depth[row[ahead], column[ahead]] = seen.depth[row[ahead], column[ahead]]
    return (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8), depth, part


def line_pieces(view: View, points: Floats, edges: Indices, hidden_by: Sequence[Visibility]) -> list[Floats]:
    """Polylines (k, 2) [pixel] of the visible runs of quadratic edges (e, 3) into points (n, 3) [m]."""
    if len(edges) == 0:
        return []
    projected = view.project(points)
    start, middle, end = (projected[edges[:, k]] for k in range(3))
    length = np.linalg.norm((end - start)[:, :2], axis=1)
    pieces = np.clip(np.ceil(length / 5.0), 2, 400).astype(np.int64)
    owner = np.repeat(np.arange(len(edges)), pieces + 1)
    offsets = np.cumsum(pieces + 1) - (pieces + 1)
    t = ((np.arange(len(owner)) - offsets[owner]) / pieces[owner])[:, None]
    along = (
        (1 - t) * (1 - 2 * t) * start[owner] + 4 * t * (1 - t) * middle[owner] + t * (2 * t - 1) * end[owner]
    )
    shown = np.ones(len(along), dtype=bool)
    for screen in hidden_by:
        shown &= screen.seen(along, 2.5 / view.scale)
    # runs of visible points of one edge
    breaks = np.flatnonzero((np.diff(owner) != 0) | (np.diff(shown.astype(np.int8)) != 0)) + 1
    runs = np.split(np.arange(len(along)), breaks)
    return [along[run, :2] for run in runs if len(run) > 1 and shown[run[0]]]


def _halo(image: Floats, depth: Floats, seen: Visibility) -> None:
    """A white rim around a solid where it is in front, so that it stands off a field of any colour."""
    from scipy.ndimage import binary_dilation

    row, column = np.nonzero(np.isfinite(seen.depth))
    part = np.s_[max(row.min() - 2, 0) : row.max() + 3, max(column.min() - 2, 0) : column.max() + 3]
    front = np.isfinite(seen.depth[part]) & (seen.depth[part] <= depth[part])
    image[part][binary_dilation(front, iterations=2) & ~front] = 1.0


def downsample(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Mean of factor x factor blocks of pixels: anti-aliasing."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    blocks = image.reshape(height, factor, width, factor, 3).astype(np.float32)
    mean: NDArray[np.uint8] = (blocks.mean(axis=(1, 3)) + 0.5).astype(np.uint8)
    return mean


def _shade(normals: Floats, view: View, ambient: float = 0.74) -> Floats:
    """Brightness for a light above the viewer's left shoulder; mild, so that colours match the legend."""
    light = 0.45 * view.up - 0.35 * view.right + view.toward
    light = light / np.linalg.norm(light)
    length = np.maximum(np.linalg.norm(normals, axis=1), 1e-300)
    diffuse = np.clip(normals @ light / length, 0.0, 1.0)
    brightness: Floats = ambient + (1.02 - ambient) * diffuse
    return brightness
