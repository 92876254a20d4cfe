"""Voronoi tessellation of a crystal: neighbouring sites and the faces between them."""

from typing import NamedTuple

import numpy as np

from ..crystals.neighbours import cell_points, find_neighbours

_FIRST_RADIUS = 7.0  # angstrom; enough without empty space


class Faces(NamedTuple):
    """The faces of the Voronoi cells of a crystal.

    Attributes
    ----------
    center : ndarray of shape (n_faces,), int
        The site of the cell, ascending.
    neighbor : ndarray of shape (n_faces,), int
        The site behind the face.
    image : ndarray of shape (n_faces, 3), int
        Offset of the neighbour's unit cell from that of the center.
    distance : ndarray of shape (n_faces,)
        Distance between the sites, in angstrom; the face is at half of it.
    area : ndarray of shape (n_faces,)
        In square angstrom.
    """

    center: np.ndarray
    neighbor: np.ndarray
    image: np.ndarray
    distance: np.ndarray
    area: np.ndarray


def tessellate(crystal, sites=None):
    """Compute the Voronoi cells of sites.

    Parameters
    ----------
    crystal : Crystal
    sites : iterable of int, default=None
        The sites whose cells to compute; None means all.

    Returns
    -------
    Faces

    Raises
    ------
    ValueError
        If a cell is not closed.

    Notes
    -----
    The cell of a site is computed from the sites within a radius. It is exact once its corners are
    within half that radius, because sites further away cannot cut it. Layers with empty space
    between them and isolated atoms need larger radii than dense crystals, so the radius is
    increased until the cell is exact.
    """
    # wrapped into one cell, so that all images count from the same origin
    points = cell_points(crystal)
    faces = []
    for center in range(len(points)) if sites is None else sites:
        neighbors, images, distances, areas = _cell(points, crystal.lattice, center)
        faces.append((np.full(len(neighbors), center), neighbors, images, distances, areas))
    return Faces(*(np.concatenate(column) for column in zip(*faces, strict=True)))


def _cell(points, lattice, center):
    """Return the neighbours of a site, with their unit cells, distances and areas."""
    # No point is further from a site than half the sum of the cell's edges.
    largest = 1.01 * np.linalg.norm(lattice, axis=1).sum()
    radius = _FIRST_RADIUS
    while True:
        _, sites, images, _, vectors = find_neighbours(points, lattice, radius, [center])
        found = _cut_cell(vectors)
        if found is not None:
            areas, furthest = found
            if 2 * furthest <= radius:
                break
        if radius > largest:
            raise ValueError(f"the Voronoi cell of site {center} is not closed")
        radius = 1.5 * radius if found is None else min(1.5 * radius, 2.001 * furthest)
    behind = np.flatnonzero(areas)
    distances = np.linalg.norm(vectors[behind], axis=1)
    return sites[behind], images[behind], distances, areas[behind]


def _cut_cell(vectors):
    """Return the area of the face of each neighbour (0 for none), and the distance of the corners.

    The plane halfway to v is the dual of the point 2v/|v|^2: the corners of the cell are dual to
    the facets of the convex hull of these points. None for an open cell.
    """
    from scipy.spatial import ConvexHull, QhullError

    if len(vectors) < 4:
        return None
    try:
        hull = ConvexHull(2 * vectors / np.sum(vectors**2, axis=1, keepdims=True))
    except QhullError:  # all neighbours so far are in one plane
        return None
    normals, offsets = hull.equations[:, :3], hull.equations[:, 3:]
    if (offsets > -1e-9).any():
        return None
    corners = -normals / offsets
    return _face_areas(hull, corners, len(vectors)), np.linalg.norm(corners, axis=1).max()


def _face_areas(hull, corners, n_neighbors):
    """Return the areas as sums of triangles between the center of each face and its edges."""
    faces = hull.simplices  # the three faces that meet in each corner
    count = np.bincount(faces.ravel(), minlength=n_neighbors)
    middle = np.zeros((n_neighbors, 3))
    np.add.at(middle, faces, corners[:, None])
    middle /= np.maximum(count, 1)[:, None]
    areas = np.zeros(n_neighbors)
    for here in range(3):
        # the edge to the opposite corner belongs to the two faces shared by both corners
        across = corners[hull.neighbors[:, here]]
        for other in (here - 2, here - 1):
            face = faces[:, other]
            triangles = np.cross(corners - middle[face], across - middle[face])
            areas += np.bincount(face, np.linalg.norm(triangles, axis=1), n_neighbors)
    return areas / 4  # half of each parallelogram, and every edge is counted from both ends
