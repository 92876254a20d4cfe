"""A picture of a crystal as SVG, drawn here: no viewer, script or network is needed."""

from typing import NamedTuple

import numpy as np

MOST_SITES = 400  # more are a cloud of dots, and slow in a browser
#: Okabe and Ito's colours, which people with colour blindness can tell apart, and two greys.
PALETTE = (
    "#d55e00", "#0072b2", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#f0e442", "#8c8c8c",
    "#4d4d4d",
)  # fmt: skip
_SIZE = 420  # width and height of the picture
_MARGIN = 36
_LEGEND = 34  # height
_EDGE = 1e-3  # a site closer to a face is drawn on the opposite face too
_BOND = 0.3  # angstrom; bonded atoms are closer than their covalent radii and this,
_SHELL = 1.25  # and than this times the distance to the nearest atom of one of them
_SHRINK = 0.4  # radius of a drawn atom, in covalent radii
_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)


class Scene(NamedTuple):
    """What is drawn, in points of the picture: to the right, down, and to the viewer.

    Attributes
    ----------
    atoms : ndarray of shape (n, 3)
        Sites of the cell; those on its faces are repeated.
    labels : list of str
        Element of each atom; several for a disordered one.
    radii : ndarray of shape (n,)
    bonds : list of tuple of (int, int)
        Atoms that are joined.
    corners : ndarray of shape (8, 3)
        Of the cell.
    """

    atoms: np.ndarray
    labels: list
    radii: np.ndarray
    bonds: list
    corners: np.ndarray


def draw_crystal(crystal, *, turn=20.0, tilt=12.0):
    """Draw the cell of a crystal.

    Parameters
    ----------
    crystal : Crystal
    turn : float, default=20.0
        Angle in degrees by which the cell is turned around its vertical axis c.
    tilt : float, default=12.0
        Angle in degrees by which it is tilted to the viewer.

    Returns
    -------
    str or None
        SVG; None if the crystal has more than `MOST_SITES` sites.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.app.structure_picture import draw_crystal
    >>> from sklearn_cloud.crystals import read_crystal
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> draw_crystal(read_crystal(cscl)).count("<circle")  # two are in the legend
    11
    """
    if len(crystal.kinds) > MOST_SITES:
        return None
    scene = make_scene(crystal, turn, tilt)
    colours = {
        name: PALETTE[i % len(PALETTE)] for i, name in enumerate(dict.fromkeys(scene.labels))
    }
    shapes = [*_draw_edges(scene), *_draw_bonds(scene, colours), *_draw_atoms(scene, colours)]
    body = "".join(shape for _, shape in sorted(shapes))
    gradients = "".join(_gradient(colour) for colour in dict.fromkeys(colours.values()))
    height = _SIZE + _LEGEND
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {height}" '
        f'width="{_SIZE}" height="{height}" font-family="sans-serif" font-size="15">'
        f'<defs>{gradients}</defs><rect width="100%" height="100%" fill="white"/>'
        f"{body}{_draw_legend(colours)}</svg>"
    )


def make_scene(crystal, turn, tilt):
    """Return the `Scene` of a crystal, as seen by the viewer."""
    positions, kinds = _with_faces(crystal)
    view = _view(crystal.lattice, turn, tilt)
    atoms, corners = positions @ crystal.lattice @ view, _CORNERS @ crystal.lattice @ view
    radii = np.array([_radius(species) for species in crystal.species])[kinds]
    bonds = _find_bonds(atoms, radii)
    everything = np.vstack([atoms, corners])[:, :2]
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = (_SIZE - 2 * _MARGIN) / max(high - low)
    middle = [*(low + high) / 2, 0.0]
    center = [_SIZE / 2, _SIZE / 2, 0.0]
    flip = np.array([scale, -scale, scale])  # y of a picture points down
    atoms, corners = ((points - middle) * flip + center for points in (atoms, corners))
    labels = [_label(crystal.species[kind]) for kind in kinds]
    return Scene(atoms, labels, _SHRINK * scale * radii, bonds, corners)


def _with_faces(crystal):
    """Return fractional positions and kinds, with the images of sites on faces of the cell."""
    positions = np.mod(crystal.positions, 1.0)
    positions[positions > 1 - _EDGE] -= 1.0
    kinds = crystal.kinds
    for axis in range(3):
        on_face = np.abs(positions[:, axis]) < _EDGE
        images = positions[on_face] + np.eye(3)[axis]
        positions = np.vstack([positions, images])
        kinds = np.concatenate([kinds, kinds[on_face]])
    return positions, kinds


def _view(lattice, turn, tilt):
    """Return the matrix from angstrom to right, up and to the viewer; rows times it."""
    up = lattice[2] / np.linalg.norm(lattice[2])
    right = lattice[0] - (lattice[0] @ up) * up
    right /= np.linalg.norm(right)
    axes = np.array([right, up, np.cross(right, up)]).T
    turned, tilted = np.radians(turn), np.radians(tilt)
    around_up = np.array(
        [[np.cos(turned), 0, -np.sin(turned)], [0, 1, 0], [np.sin(turned), 0, np.cos(turned)]]
    )
    around_right = np.array(
        [[1, 0, 0], [0, np.cos(tilted), np.sin(tilted)], [0, -np.sin(tilted), np.cos(tilted)]]
    )
    return axes @ around_up @ around_right


def _radius(species):
    from ..crystals.bond_elements import bond_properties

    return float(bond_properties([species[0][0]])["covalent"][0])


def _label(species):
    """Return the elements of a site, with their occupancies if it is disordered."""
    if len(species) == 1 and species[0][1] == 1:
        return species[0][0]
    return " ".join(f"{element}{occupancy:.2g}" for element, occupancy in species)


def _find_bonds(atoms, radii):
    from scipy.spatial import cKDTree

    pairs = cKDTree(atoms).query_pairs(2 * radii.max() + _BOND, output_type="ndarray")
    lengths = np.linalg.norm(atoms[pairs[:, 0]] - atoms[pairs[:, 1]], axis=1)
    nearest = np.full(len(atoms), np.inf)
    np.minimum.at(nearest, pairs.ravel(), lengths.repeat(2))
    close = lengths < radii[pairs].sum(axis=1) + _BOND
    return pairs[close & (lengths < _SHELL * nearest[pairs].max(axis=1))].tolist()


def _draw_edges(scene):
    for first in range(8):
        for axis in (1, 2, 4):
            if not first & axis:
                start, end = scene.corners[first], scene.corners[first | axis]
                _, line = _line(start, end, "#999999", 1.2)
                yield min(start[2], end[2]) - 1, line  # behind the atoms at both ends


def _draw_bonds(scene, colours):
    """Each half of a bond has the colour of its atom, on whose surface it begins."""
    for pair in scene.bonds:
        middle = scene.atoms[pair].mean(axis=0)
        for atom in pair:
            step = middle - scene.atoms[atom]
            start = scene.atoms[atom] + 0.95 * scene.radii[atom] * step / np.linalg.norm(step)
            yield _line(start, middle, colours[scene.labels[atom]], 3.5)


def _line(start, end, colour, width):
    (x1, y1, z1), (x2, y2, z2) = start, end
    return (z1 + z2) / 2, (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round"/>'
    )


def _draw_atoms(scene, colours):
    for (x, y, z), label, radius in zip(scene.atoms, scene.labels, scene.radii, strict=True):
        yield z, _circle(x, y, radius, colours[label])


def _circle(x, y, radius, colour):
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="url(#{_name(colour)})" '
        f'stroke="#333333" stroke-width="0.6"/>'
    )


def _gradient(colour):
    """Return the shading of a ball."""
    return (
        f'<radialGradient id="{_name(colour)}" cx="0.35" cy="0.3" r="0.8">'
        f'<stop offset="0" stop-color="white"/><stop offset="0.35" stop-color="{colour}"/>'
        f'<stop offset="1" stop-color="{colour}"/></radialGradient>'
    )


def _name(colour):
    return f"ball-{colour[1:]}"


def _draw_legend(colours):
    parts, x = [], 20
    for label, colour in colours.items():
        parts.append(_circle(x, _SIZE + 12, 8, colour))
        parts.append(f'<text x="{x + 13}" y="{_SIZE + 17}" fill="#222222">{label}</text>')
        x += 32 + 9 * len(label)
    return "".join(parts)
