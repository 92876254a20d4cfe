"""What a crystal looks like, in a few numbers that need no labels.

They are targets of self-supervised pre-training: an encoder that predicts them from the string
has learnt sizes and distances. Fine-tuning and prediction never see them.
"""

import numpy as np

#: Names of the numbers that `describe_geometry` gives for a crystal.
GEOMETRY = (
    "log volume per atom",
    "log density",
    "log b/a",
    "log c/a",
    "cos alpha",
    "cos beta",
    "cos gamma",
    "log shortest distance",
    "log mean nearest-neighbour distance",
    "log coordination number",
)
_CUTOFFS = (4.0, 7.0, 12.0, 25.0)  # angstrom
_SHELL = 1.2  # neighbours within this factor of the nearest one are counted as coordinated
DALTON = 1.66053906660  # g/cm3 of one dalton per cubic angstrom


def describe_geometry(crystal, symprec):
    """Size, shape and distances of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Tolerance of the reduction to a primitive cell, in angstrom.

    Returns
    -------
    numbers : ndarray of shape (10,), float32
        In the order of `GEOMETRY`; natural logarithms of angstrom, cubic angstrom and g/cm3. The
        cell is the Niggli-reduced primitive one, a <= b <= c.
    nearest : ndarray of shape (n_sites,), float32
        Natural logarithm of the distance of each site to its nearest neighbour (angstrom).

    Raises
    ------
    ValueError
        If a site has no neighbour within 20.8 angstrom, or the cell cannot be reduced.
    """
    volume = abs(np.linalg.det(crystal.lattice)) / len(crystal.kinds)
    lengths, cosines = reduced_cell(crystal, symprec)
    nearest, coordination = _neighbours(crystal)
    numbers = [
        np.log(volume),
        np.log(mass(crystal) * DALTON / (volume * len(crystal.kinds))),
        np.log(lengths[1] / lengths[0]),
        np.log(lengths[2] / lengths[0]),
        *cosines,
        np.log(nearest.min()),
        np.log(nearest.mean()),
        np.log(coordination.mean()),
    ]
    return np.array(numbers, dtype=np.float32), np.log(nearest).astype(np.float32)


def mass(crystal):
    """Mass of the cell in dalton."""
    from pymatgen.core import Element

    return sum(float(Element(e).atomic_mass) * n for e, n in crystal.composition.items())


def reduced_cell(crystal, symprec):
    """Lengths (angstrom) and cosines of the angles of the Niggli-reduced primitive cell."""
    import moyopy

    from .search import quieten_moyopy
    from .setting import moyopy_cell, niggli_cell

    quieten_moyopy()
    primitive = moyopy.MoyoDataset(moyopy_cell(crystal), symprec=symprec).prim_std_cell
    basis = niggli_cell(primitive.basis)
    lengths = np.linalg.norm(basis, axis=1)
    unit = basis / lengths[:, None]
    return lengths, (unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1])


def _neighbours(crystal):
    """Nearest-neighbour distance and coordination number of each site."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    points = np.ascontiguousarray(np.mod(crystal.positions, 1.0) @ crystal.lattice)
    lattice = np.ascontiguousarray(crystal.lattice)
    periodic = np.array([1, 1, 1], dtype=np.int64)
    for cutoff in _CUTOFFS:
        centers, _, _, distances = find_points_in_spheres(
            all_coords=points,
            center_coords=points,
            r=cutoff,
            pbc=periodic,
            lattice=lattice,
            tol=1e-8,
        )
        centers, distances = centers[distances > 1e-3], distances[distances > 1e-3]
        nearest = np.full(len(points), np.inf)
        np.minimum.at(nearest, centers, distances)
        if (nearest * _SHELL <= cutoff).all():
            near = distances <= _SHELL * nearest[centers]
            return nearest, np.bincount(centers[near], minlength=len(points))
    raise ValueError(f"a site has no neighbour within {_CUTOFFS[-1] / _SHELL:.0f} angstrom")
