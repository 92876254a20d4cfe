"""What users hold (structures, CIF files, formulas) read into one plain form, with its checks."""

import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

# By Pauling electronegativity, as chemists write formulas: cations first. Elements without a
# value come last, by atomic number.
ELEMENTS = tuple(
    "Fr Cs K Rb Ba Ra Na Sr Li Ca La Tb Yb Ac Ce Pr Pm Nd Sm Eu Gd Y Dy Ho Er Tm Lu Pu Hf Th Am "
    "Cm Bk Cf Es Fm Md No Lr Mg Zr Sc Np U Ta Pa Ti Mn Be Nb Al Tl V Zn Cr Cd In Ga Fe Co Si Cu "
    "Tc Re Ni Ag Sn Hg Po Ge Bi B Sb Te Mo As P H Ru Pd Os Ir At Rn Rh Pt Pb W Au C Se S Xe I Br "
    "Kr N Cl O F He Ne Ar Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
)
ELEMENT_RANK = {element: rank for rank, element in enumerate(ELEMENTS)}
_MANY_SITES = 200  # above this a search tree beats the table of all pairs
_SMALLEST_DISTANCE = 0.05  # angstrom; no two sites of a crystal are closer
_THINNEST_CELL = 0.1  # angstrom between opposite faces


class Crystal(NamedTuple):
    """A periodic arrangement of sites.

    Attributes
    ----------
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom.
    positions : ndarray of shape (n, 3)
        Fractional coordinates.
    kinds : ndarray of shape (n,), int
        Which entry of `species` each site holds.
    species : tuple of tuple of (str, float)
        Elements and occupancies of each kind of site; one element with 1.0 where ordered.
    """

    lattice: np.ndarray
    positions: np.ndarray
    kinds: np.ndarray
    species: tuple

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
    """A composition without a structure: ((element, amount), ...)."""

    amounts: tuple

    @property
    def composition(self):
        return dict(self.amounts)

    @property
    def key(self):
        return repr(self.amounts).encode()


def read_crystal(item):
    """Read whatever describes one crystal.

    Parameters
    ----------
    item : pymatgen Structure, ase Atoms, pymatgen Composition, str or path
        A string is CIF text (several lines), the path of a `.cif` file, or a chemical formula; a
        `pathlib.Path` is a file of any format that pymatgen reads.

    Returns
    -------
    Crystal or Formula

    Raises
    ------
    TypeError
        If the item is none of these.
    ValueError
        If it cannot be read or is not a crystal: an empty or flat cell, sites that coincide,
        species that are not elements, a formula that says nothing.
    """
    if isinstance(item, str):
        return _read_text(item)
    if isinstance(item, os.PathLike):
        return _read_file(Path(item))
    if hasattr(item, "get_chemical_symbols") and hasattr(item, "get_scaled_positions"):
        return _from_ase(item)
    # Whoever passes a pymatgen object has imported pymatgen already.
    from pymatgen.core import Composition, IStructure

    if isinstance(item, IStructure):
        return _from_pymatgen(item)
    if isinstance(item, Composition):
        return _from_composition(item)
    raise TypeError(
        f"expected a crystal (pymatgen Structure, ase Atoms, CIF text or path) or a composition "
        f"(pymatgen Composition or formula), got {item!r:.80} of type {type(item).__name__}"
    )


def _read_text(text):
    stripped = text.strip()
    if "\n" in stripped:
        return _from_pymatgen(_parse_cif(text, source="the CIF text"))
    if stripped.lower().endswith(".cif"):
        return _read_file(Path(stripped))
    if " | " in text:
        raise ValueError(f"{text!r:.80} is already a symmetry string: pass it to the estimator")
    return _from_formula(stripped)


def _read_file(path):
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    if path.suffix.lower() == ".cif":
        return _from_pymatgen(_parse_cif(path.read_text(errors="replace"), source=repr(str(path))))
    from pymatgen.core import Structure

    try:
        return _from_pymatgen(Structure.from_file(path))
    except Exception as error:  # parsers of foreign formats raise anything
        raise ValueError(f"{str(path)!r} cannot be read as a crystal: {error}") from error


def _parse_cif(text, source):
    import warnings

    from pymatgen.io.cif import CifParser

    try:
        with warnings.catch_warnings():
            # rounded coordinates and the like are pymatgen's to mend; what fails raises
            warnings.simplefilter("ignore")
            return CifParser.from_str(text).parse_structures(primitive=False)[0]
    except Exception as error:  # the parser raises anything from IndexError to AssertionError
        raise ValueError(f"{source} cannot be read as a crystal: {error}") from error


def _from_formula(text):
    from pymatgen.core import Composition

    try:
        composition = Composition(text)
    except ValueError as error:
        raise ValueError(f"{text!r:.80} is not a chemical formula: {error}") from error
    return _from_composition(composition)


def _from_composition(composition):
    _check_isotopes(element for element in composition if element.symbol == "H")
    amounts = tuple((element.symbol, float(amount)) for element, amount in composition.items())
    _check_elements(amounts, "the composition")
    if not amounts or any(not np.isfinite(a) or a <= 0 for _, a in amounts):
        raise ValueError(f"the composition {composition.formula!r} holds no atoms")
    return Formula(tuple(sorted(amounts)))


def _from_ase(atoms):
    symbols = atoms.get_chemical_symbols()
    species = tuple(dict.fromkeys(symbols))
    kinds = np.array([species.index(symbol) for symbol in symbols], dtype=np.int32)
    lattice = np.array(atoms.cell, dtype=float)
    if len(symbols) and all(atoms.pbc) and abs(np.linalg.det(lattice)) > 0:
        positions = np.array(atoms.get_scaled_positions(wrap=False), dtype=float)
    else:
        positions = np.zeros((len(symbols), 3))
        lattice = np.zeros((3, 3))
    return check_crystal(Crystal(lattice, positions, kinds, tuple(((s, 1.0),) for s in species)))


def _from_pymatgen(structure):
    index, kinds, positions = {}, [], []
    for site in structure:
        # oxidation states and spins are left out: the string speaks of elements
        species = site.species
        if len(species) == 1:
            ((specie, occupancy),) = species.items()
            held = ((specie.symbol, occupancy),)
        else:
            held = _merge_species(species)
        kinds.append(index.setdefault(held, len(index)))
        positions.append(site.frac_coords)
    if any(symbol == "H" for held in index for symbol, _ in held):
        _check_isotopes(specie for site in structure for specie in site.species)
    lattice = np.array(structure.lattice.matrix, dtype=float)
    positions = np.array(positions, dtype=float).reshape(-1, 3)
    return check_crystal(Crystal(lattice, positions, np.array(kinds, dtype=np.int32), tuple(index)))


def _check_isotopes(species):
    """pymatgen gives deuterium and tritium the symbol H, and keeps them apart from it by name."""
    for specie in species:
        name = getattr(specie, "element", specie).name
        if name in ("D", "T"):
            raise ValueError(
                f"isotopes are not told apart from their element, and the crystal holds {name}: "
                f'replace it, structure.replace_species({{"{name}": "H"}})'
            )


def _merge_species(species):
    """Sort the species of a site; Fe2+ and Fe3+ on one site are Fe."""
    amounts = {}
    for specie, occupancy in species.items():
        amounts[specie.symbol] = amounts.get(specie.symbol, 0.0) + occupancy
    return tuple(sorted(amounts.items()))


def check_crystal(crystal):
    """Refuse what no symmetry search can make sense of, saying which site is to blame."""
    if len(crystal.kinds) == 0:
        raise ValueError("the crystal has no sites")
    for kind, species in enumerate(crystal.species):
        occupancy = sum(amount for _, amount in species)
        if not all(symbol in ELEMENT_RANK for symbol, _ in species) or not 0 < occupancy <= 1.001:
            site = f"site {int(np.argmax(crystal.kinds == kind))}"
            _check_elements(species, site)
            raise ValueError(f"{site} has occupancy {occupancy:.3f}; it must be in (0, 1]")
    volume, thickness = _cell_size(crystal.lattice)
    if not math.isfinite(volume + crystal.positions.sum()):
        raise ValueError("the cell or a coordinate is not finite")
    if thickness < _THINNEST_CELL:
        raise ValueError(
            f"the cell has no volume ({volume:.2g} cubic angstrom): a crystal needs three "
            f"independent cell vectors and periodic boundaries along each"
        )
    _check_distances(crystal, thickness)
    return crystal


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


def _check_elements(amounts, where):
    for symbol, _ in amounts:
        if symbol in ELEMENT_RANK:
            continue
        raise ValueError(
            f"{where} holds {symbol!r}, which is not one of the 118 elements; replace it by one"
        )


def _check_distances(crystal, thickness):
    radius = min(_SMALLEST_DISTANCE / thickness, 0.49)  # in fractional coordinates
    for first, second in _close_pairs(crystal.positions, radius):
        offset = crystal.positions[first] - crystal.positions[second]
        distance = np.linalg.norm((offset - np.rint(offset)) @ crystal.lattice)
        if distance < _SMALLEST_DISTANCE:
            raise ValueError(
                f"sites {first} and {second} overlap: they are {distance:.3f} angstrom apart; "
                f"remove one of them (structure.merge_sites()) or, where an atom is disordered, "
                f"write one site with partial occupancies"
            )


def _close_pairs(positions, radius):
    """Pairs of sites whose fractional coordinates (nearly) coincide modulo the lattice."""
    if len(positions) > _MANY_SITES:
        from scipy.spatial import cKDTree

        tree = cKDTree(np.mod(positions, 1.0) % 1.0, boxsize=1.0)
        return sorted(tree.query_pairs(radius))
    columns = np.ascontiguousarray((positions - np.floor(positions)).T, dtype=np.float32)
    offsets = columns[:, :, None] - columns[:, None]
    offsets -= np.rint(offsets)
    near = np.square(offsets).sum(axis=0) < radius**2
    if np.count_nonzero(near) == len(near):  # every site is near itself alone
        return []
    return [(int(i), int(j)) for i, j in np.argwhere(near) if i < j]
