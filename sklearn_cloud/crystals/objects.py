"""Convert objects of pymatgen, ASE and JARVIS to crystals."""

import numpy as np

from .crystal import Crystal, check_crystal
from .dictionaries import read_dictionary
from .errors import CrystalError
from .formulas import make_formula
from .species import index_species, settle_species


def from_pymatgen(structure, notes=None):
    """Convert a pymatgen structure to a `Crystal`, without oxidation states and spins."""
    kinds, index = [], {}
    known = {}  # the kind of each composition: most sites have one of a few
    sites = list(structure)
    for number, site in enumerate(sites):
        composition = site.species
        # one element is told by itself: to compare two compositions takes ten times as long
        amounts = tuple(composition.items())
        mark = amounts if len(amounts) == 1 else composition
        kind = known.get(mark)
        if kind is None:
            named = [(_symbol(specie), amount) for specie, amount in amounts]
            held = settle_species(named, f"site {number}", notes)
            kind = known[mark] = index.setdefault(held, len(index))
        kinds.append(kind)
    lattice = np.array(structure.lattice.matrix, dtype=float)
    positions = np.array([site.frac_coords for site in sites], dtype=float).reshape(-1, 3)
    kinds = np.array(kinds, dtype=np.int32)
    return check_crystal(Crystal(lattice, positions, kinds, tuple(index)))


def from_composition(composition, notes=None):
    """Convert a pymatgen composition to a `Formula`."""
    amounts = [(_symbol(specie), float(amount)) for specie, amount in composition.items()]
    return make_formula(amounts, "the composition", notes)


def _symbol(specie):
    """Symbol of an Element, Species or DummySpecies; D and T have names of their own."""
    return getattr(specie, "name", None) or specie.symbol  # dummies have no name


def from_ase(atoms, notes=None):
    """Convert ASE atoms to a `Crystal`, with the occupancies in `atoms.info`."""
    symbols = atoms.get_chemical_symbols()
    lattice = np.array(atoms.cell, dtype=float)
    if not len(symbols):
        raise CrystalError("the crystal has no sites")
    if not any(atoms.pbc):
        raise CrystalError("the atoms are not periodic: set atoms.pbc = True")
    if not abs(np.linalg.det(lattice)) > 0:
        raise CrystalError(
            "the cell has no volume: set three independent cell vectors, for a layer with "
            "atoms.center(vacuum=10, axis=2)"
        )
    positions = np.array(atoms.get_scaled_positions(wrap=False), dtype=float)
    species = [
        settle_species(amounts, f"site {number}", notes)
        for number, amounts in enumerate(_ase_occupancies(atoms, symbols))
    ]
    kinds, distinct = index_species(species)
    return check_crystal(Crystal(lattice, positions, kinds, distinct))


def from_jarvis(atoms, notes=None):
    """Convert the Atoms of jarvis-tools to a `Crystal`."""
    record = {
        "lattice_mat": np.asarray(atoms.lattice_mat).tolist(),
        "coords": np.asarray(atoms.frac_coords).tolist(),
        "elements": list(atoms.elements),
    }
    return read_dictionary(record, notes)


def _ase_occupancies(atoms, symbols):
    """Return the occupancies of each site, {kind: {element: occupancy}} for a disordered CIF."""
    occupancy = atoms.info.get("occupancy")
    if not occupancy:
        return [[(symbol, 1.0)] for symbol in symbols]
    kinds = atoms.arrays.get("spacegroup_kinds")
    try:
        return [list(occupancy[str(kind)].items()) for kind in kinds.tolist()]
    except (AttributeError, KeyError, TypeError) as error:
        raise CrystalError(
            "atoms.info['occupancy'] cannot be assigned to sites: the array 'spacegroup_kinds', "
            "which ASE reads from a CIF, is missing"
        ) from error
