"""Read a crystal from a dictionary: only lattice, species and coordinates.

Dictionaries come from files, and other libraries decode their entries into objects of any class
named in them. Nothing is decoded here: only numbers and symbols are read.
"""

import numpy as np

from .cells import cell_vectors
from .crystal import ELEMENT_RANK, Crystal, check_crystal
from .errors import CrystalError
from .formulas import make_formula
from .species import index_species, settle_species

_WRAPPERS = ("structure", "attributes", "atoms", "output", "final_structure")
_MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)


def read_dictionary(record, notes=None):
    """Read a crystal from a dictionary.

    Parameters
    ----------
    record : dict
        In the form of pymatgen's ``Structure.as_dict`` or ``Composition.as_dict``, JARVIS, an ASE
        database or an OPTIMADE response; or an entry with such a dictionary under `structure`,
        `atoms` or `attributes`.
    notes : list, default=None

    Returns
    -------
    Crystal or Formula

    Raises
    ------
    CrystalError
        If it has none of these forms, or a value in it is malformed.
    """
    try:
        return _read(record, notes)
    except CrystalError:
        raise
    except _MALFORMED as error:
        raise CrystalError(
            f"the dictionary does not describe a crystal: {type(error).__name__}: {error!s:.100}"
        ) from error


def _read(record, notes):
    for layout, reader in _READERS.items():
        if all(key in record for key in layout):
            return reader(record, notes)
    for name in _WRAPPERS:
        if isinstance(record.get(name), dict):
            return read_dictionary(record[name], notes)
    amounts = {key: value for key, value in record.items() if not str(key).startswith("@")}
    if amounts and all(_is_amount(key, value) for key, value in amounts.items()):
        return make_formula(amounts.items(), "the composition", notes)
    keys = ", ".join(repr(key) for key in list(record)[:6])
    raise CrystalError(
        f"the dictionary does not describe a crystal (it has {keys or 'no keys'}); expected "
        f"'lattice' and 'sites', as written by pymatgen's Structure.as_dict()"
    )


def _is_amount(key, value):
    return key in ELEMENT_RANK and isinstance(value, int | float)


def _from_pymatgen(record, notes):
    lattice = _read_lattice(record["lattice"])
    species, positions = [], []
    for number, site in enumerate(record["sites"]):
        if site.get("abc") is not None:
            positions.append(_vector(site["abc"]))
        else:
            positions.append(_vector(site["xyz"]) @ _inverse(lattice))
        amounts = [(one["element"], float(one["occu"])) for one in site["species"]]
        species.append(settle_species(amounts, f"site {number}", notes))
    return _make(lattice, positions, species)


def _read_lattice(record):
    if "matrix" in record:
        return _cell(record["matrix"])
    lengths = [float(record[name]) for name in "abc"]
    return cell_vectors(lengths, [float(record[name]) for name in ("alpha", "beta", "gamma")])


def _from_jarvis(record, notes):
    lattice = _cell(record["lattice_mat"])
    positions = _matrix(record["coords"])
    if record.get("cartesian"):
        positions = positions @ _inverse(lattice)
    return _ordered(lattice, positions, record["elements"], notes)


def _from_ase(record, notes):
    from gemmi import Element

    lattice = _cell(record["cell"])
    symbols = [Element(int(number)).name for number in record["numbers"]]
    return _ordered(lattice, _matrix(record["positions"]) @ _inverse(lattice), symbols, notes)


def _from_optimade(record, notes):
    lattice = _cell(record["lattice_vectors"])
    positions = _matrix(record["cartesian_site_positions"]) @ _inverse(lattice)
    held = {
        kind["name"]: list(zip(kind["chemical_symbols"], kind["concentration"], strict=True))
        for kind in record.get("species") or []
    }
    species = []
    for number, name in enumerate(record["species_at_sites"]):
        amounts = [pair for pair in held.get(name, [(name, 1.0)]) if pair[0] != "vacancy"]
        species.append(settle_species(amounts, f"site {number}", notes))
    return _make(lattice, positions, species)


_READERS = {
    ("lattice", "sites"): _from_pymatgen,
    ("lattice_mat", "coords", "elements"): _from_jarvis,
    ("lattice_vectors", "cartesian_site_positions", "species_at_sites"): _from_optimade,
    ("cell", "positions", "numbers"): _from_ase,
}


def _ordered(lattice, positions, symbols, notes):
    species = [
        settle_species([(str(symbol).strip(), 1.0)], f"site {number}", notes)
        for number, symbol in enumerate(symbols)
    ]
    return _make(lattice, positions, species)


def _make(lattice, positions, species):
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    if len(positions) != len(species):
        raise CrystalError(f"there are {len(positions)} positions for {len(species)} sites")
    kinds, distinct = index_species(species)
    return check_crystal(Crystal(lattice, positions, kinds, distinct))


def _vector(values):
    vector = np.array([float(value) for value in values])
    if vector.shape != (3,):
        raise CrystalError(f"a position has {len(vector)} coordinates instead of 3")
    if not np.isfinite(vector).all():
        raise CrystalError("a coordinate is not finite")
    return vector


def _matrix(rows):
    rows = np.array([[float(value) for value in row] for row in rows])
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise CrystalError("cell vectors and positions must be lists of three numbers")
    if not np.isfinite(rows).all():
        raise CrystalError("the cell or a coordinate is not finite")
    return rows


def _cell(rows):
    rows = _matrix(rows)
    if len(rows) != 3:
        raise CrystalError(f"the lattice has {len(rows)} vectors instead of 3")
    return rows


def _inverse(lattice):
    if not abs(np.linalg.det(lattice)) > 0:
        raise CrystalError("the cell has no volume: a crystal needs three independent cell vectors")
    return np.linalg.inv(lattice)
