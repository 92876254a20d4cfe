"""Plain data types of a crystal and of a composition without structure, with checks."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .errors import CrystalError
from .limits import check_cell

# By Pauling electronegativity, as chemists write formulas: cations first. Elements without a
# value come last, by atomic number.
ELEMENTS = tuple(
    "Fr Cs K Rb Ba Ra Na Sr Li Ca La Tb Yb Ac Ce Pr Pm Nd Sm Eu Gd Y Dy Ho Er Tm Lu Pu Hf Th Am "
    "Cm Bk Cf Es Fm Md No Lr Mg Zr Sc Np U Ta Pa Ti Mn Be Nb Al Tl V Zn Cr Cd In Ga Fe Co Si Cu "
    "Tc Re Ni Ag Sn Hg Po Ge Bi B Sb Te Mo As P H Ru Pd Os Ir At Rn Rh Pt Pb W Au C Se S Xe I Br "
    "Kr N Cl O F He Ne Ar Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
)

ELEMENT_RANK = {element: rank for rank, element in enumerate(ELEMENTS)}

_MANY_SITES = 200  # above this a search tree is faster than a table of all pairs
_SMALLEST_DISTANCE = 0.05  # angstrom; no two sites of a crystal are closer
_THINNEST_CELL = 0.1  # angstrom between opposite faces
_OVERLAP = 0.5  # angstrom; closer sites are alternatives, never occupied at the same time
_SHARED = 1.05  # largest sum of the occupancies of two alternatives


def write_formula(amounts):
    """Write a composition as a formula with the smallest whole numbers.

    Parameters
    ----------
    amounts : dict of str to float
        Each element with its amount.

    Returns
    -------
    str
        Elements by electronegativity, such as ``SrTiO3``. Amounts that are no whole numbers, as in
        ``Fe0.7Ni0.3``, are not reduced.
    """
    counts = [round(amount) for amount in amounts.values()]
    whole = all(abs(a - n) < 1e-3 and n > 0 for a, n in zip(amounts.values(), counts))
    divisor = math.gcd(*counts) if whole else 1
    words = []
    for element in sorted(amounts, key=ELEMENT_RANK.__getitem__):
        amount = round(amounts[element] / divisor, 3)
        words.append(element if amount == 1 else f"{element}{amount:g}")
    return "".join(words)


class Crystal(NamedTuple):
    """A periodic arrangement of sites.

    Attributes
    ----------
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom.
    positions : ndarray of shape (n, 3)
        Fractional coordinates.
    kinds : ndarray of shape (n,), int
        Index into `species` of each site.
    species : tuple of tuple of (str, float)
        Elements and occupancies of each kind of site; one element with 1.0 if ordered.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.crystals import read_crystal
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> crystal = read_crystal(cscl)
    >>> crystal
    <Crystal CsCl, 2 sites>
    >>> crystal.composition
    {'Cs': 1.0, 'Cl': 1.0}
    """

    lattice: np.ndarray
    positions: np.ndarray
    kinds: np.ndarray
    species: tuple

    def __repr__(self):
        return f"<Crystal {write_formula(self.composition)}, {len(self.kinds)} sites>"

    @property
    def composition(self):
        """{element: atoms in the cell}."""
        amounts = {}
        for kind, count in enumerate(np.bincount(self.kinds, minlength=len(self.species))):
            for element, occupancy in self.species[kind]:
                amounts[element] = amounts.get(element, 0.0) + occupancy * int(count)
        return amounts

    @property
    def key(self):
        """Bytes that are equal for equal crystals."""
        arrays = (self.lattice.tobytes(), self.positions.tobytes(), self.kinds.tobytes())
        return b"|".join((*arrays, repr(self.species).encode()))


class Formula(NamedTuple):
    """A composition without a structure.

    Attributes
    ----------
    amounts : tuple of tuple of (str, float)
        Each element with its amount.

    Examples
    --------
    >>> from sklearn_cloud.crystals import read_crystal
    >>> read_crystal("SrTiO3")
    Formula(amounts=(('O', 3.0), ('Sr', 1.0), ('Ti', 1.0)))
    """

    amounts: tuple

    @property
    def composition(self):
        return dict(self.amounts)

    @property
    def key(self):
        return repr(self.amounts).encode()


def check_crystal(crystal):
    """Raise an error that names the site if a crystal is not valid for a symmetry search."""
    if len(crystal.kinds) == 0:
        raise CrystalError("the crystal has no sites")
    for kind, species in enumerate(crystal.species):
        if not _is_possible(species):
            site = f"site {int(np.argmax(crystal.kinds == kind))}"
            check_elements(species, site)
            occupancy = sum(amount for _, amount in species)
            raise CrystalError(f"{site} has occupancy {occupancy:.3f}; it must be in (0, 1]")
    volume, thickness = _cell_size(crystal.lattice)
    _check_lattice(crystal, volume, thickness)
    _check_distances(crystal, thickness)
    return crystal


@lru_cache(maxsize=1024)
def _is_possible(species):
    """Whether they are elements, with occupancies that sum to no more than 1."""
    occupancy = sum(amount for _, amount in species)
    return all(symbol in ELEMENT_RANK for symbol, _ in species) and 0 < occupancy <= 1.001


def _check_lattice(crystal, volume, thickness):
    if not math.isfinite(volume + crystal.positions.sum()):
        raise CrystalError("the cell or a coordinate is not finite")
    if thickness < _THINNEST_CELL:
        raise CrystalError(
            f"the cell has no volume ({volume:.2g} cubic angstrom): a crystal needs three "
            f"independent cell vectors"
        )
    check_cell(crystal.lattice, volume, len(crystal.kinds))


def _cell_size(lattice):
    """Volume of the cell and smallest distance between its opposite faces.

    Plain floats: for a single cell they are several times faster than numpy.
    """
    a, b, c = lattice.tolist()
    faces = _cross(b, c), _cross(c, a), _cross(a, b)
    volume = abs(sum(x * y for x, y in zip(a, faces[0], strict=True)))
    largest = max(math.hypot(*face) for face in faces)
    return volume, volume / largest if largest else 0.0


def _cross(u, v):
    return (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])


def check_elements(amounts, where):
    for symbol, _ in amounts:
        if symbol in ELEMENT_RANK:
            continue
        raise CrystalError(
            f"{where} contains {symbol!r:.40}, which is not one of the 118 elements; replace it"
        )


def _check_distances(crystal, thickness):
    first, second, distances = _close_pairs(crystal.positions, crystal.lattice, thickness, _OVERLAP)
    if not len(first):
        return
    occupancies = np.array([sum(amount for _, amount in held) for held in crystal.species])
    taken = occupancies[crystal.kinds]
    wrong = (taken[first] + taken[second] > _SHARED) | (distances < _SMALLEST_DISTANCE)
    if not wrong.any():
        return
    worst = np.flatnonzero(wrong)[0]
    raise CrystalError(
        f"sites {first[worst]} and {second[worst]} overlap: they are {distances[worst]:.3f} "
        f"angstrom apart; remove one of them (structure.merge_sites()) or, if an atom is "
        f"disordered, write one site with partial occupancies"
    )


def close_pairs(positions, lattice, distance):
    """Find pairs of sites that are close to each other, including periodic images.

    Parameters
    ----------
    positions : ndarray of shape (n, 3)
        Fractional coordinates.
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom.
    distance : float
        In angstrom, small compared with the cell.

    Returns
    -------
    first, second : ndarray of int
        The sites of each pair, first < second.
    distances : ndarray of float
    """
    return _close_pairs(positions, lattice, _cell_size(lattice)[1], distance)


def _close_pairs(positions, lattice, thickness, distance):
    if len(positions) > _MANY_SITES:
        radius = min(distance / thickness, 0.499) if thickness else 0.499  # of each coordinate
        first, second = _search_tree(positions, radius)
    else:
        first, second = _compare_all(positions, lattice, distance + 0.01)
    if not len(first):
        return first, second, np.zeros(0)
    offsets = positions[first] - positions[second]
    distances = np.linalg.norm((offsets - np.rint(offsets)) @ lattice, axis=1)
    near = distances < distance
    return first[near], second[near], distances[near]


def _search_tree(positions, radius):
    """Pairs of sites none of whose fractional coordinates differ by more than the radius."""
    from scipy.spatial import cKDTree

    tree = cKDTree(np.mod(positions, 1.0) % 1.0, boxsize=1.0)
    pairs = tree.query_pairs(radius, p=np.inf, output_type="ndarray")
    return tuple(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T)


def _compare_all(positions, lattice, distance):
    """Pairs of sites that are closer than the distance, in single precision."""
    columns = np.ascontiguousarray((positions - np.floor(positions)).T, dtype=np.float32)
    offsets = columns[:, :, None] - columns[:, None]
    offsets -= np.rint(offsets)
    steps = lattice.T.astype(np.float32) @ offsets.reshape(3, -1)
    near = np.einsum("ij,ij->j", steps, steps) < distance**2
    if np.count_nonzero(near) == len(positions):  # every site is near itself alone
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    first, second = np.nonzero(near.reshape(offsets.shape[1:]))
    return first[first < second], second[first < second]
