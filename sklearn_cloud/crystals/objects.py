"""Crystals from the objects of pymatgen and ase."""

import numpy as np

from .crystal import Crystal, check_crystal
from .errors import CrystalError
from .formulas import make_formula
from .species import index_species, settle_species


def from_pymatgen(structure, notes=None):
    """`Crystal` of a pymatgen structure; oxidation states and spins are left out."""
    species, positions = [], []
    known = {}  # most sites have one of a few compositions
    for number, site in enumerate(structure):
        composition = site.species
        # one element is told by itself: to compare two compositions takes ten times as long
        alone = len(composition) == 1
        mark = (*composition, composition.num_atoms) if alone else composition
        held = known.get(mark)
        if held is None:
            amounts = [(_symbol(specie), amount) for specie, amount in composition.items()]
            held = known[mark] = settle_species(amounts, f"site {number}", notes)
        species.append(held)
        positions.append(site.frac_coords)
    kinds, distinct = index_species(species)
    lattice = np.array(structure.lattice.matrix, dtype=float)
    positions = np.array(positions, dtype=float).reshape(-1, 3)
    return check_crystal(Crystal(lattice, positions, kinds, distinct))


def from_composition(composition, notes=None):
    """`Formula` of a pymatgen composition."""
    amounts = [(_symbol(specie), float(amount)) for specie, amount in composition.items()]
    return make_formula(amounts, "the composition", notes)


def _symbol(specie):
    """Symbol of an Element, Species or DummySpecies; D and T have names of their own."""
    return getattr(specie, "name", None) or specie.symbol  # dummies have no name


def from_ase(atoms, notes=None):
    """`Crystal` of ase atoms, with the occupancies that ase keeps in `atoms.info`."""
    symbols = atoms.get_chemical_symbols()
    lattice = np.array(atoms.cell, dtype=float)
    if not len(symbols):
        raise CrystalError("the crystal has no sites")
    if not any(atoms.pbc):
        raise CrystalError("the atoms have no periodic boundaries: set atoms.pbc = True")
    if not abs(np.linalg.det(lattice)) > 0:
        raise CrystalError(
            "the cell has no volume: give it three independent cell vectors, a layer by "
            "atoms.center(vacuum=10, axis=2)"
        )
    positions = np.array(atoms.get_scaled_positions(wrap=False), dtype=float)
    species = [
        settle_species(amounts, f"site {number}", notes)
        for number, amounts in enumerate(_ase_occupancies(atoms, symbols))
    ]
    kinds, distinct = index_species(species)
    return check_crystal(Crystal(lattice, positions, kinds, distinct))


def _ase_occupancies(atoms, symbols):
    """What occupies each site: {kind: {element: occupancy}} where a CIF was disordered."""
    occupancy = atoms.info.get("occupancy")
    if not occupancy:
        return [[(symbol, 1.0)] for symbol in symbols]
    kinds = atoms.arrays.get("spacegroup_kinds")
    try:
        return [list(occupancy[str(kind)].items()) for kind in kinds.tolist()]
    except (AttributeError, KeyError, TypeError) as error:
        raise CrystalError(
            "atoms.info['occupancy'] does not say which sites it is about: there should be an "
            "array 'spacegroup_kinds', as ase reads it from a CIF"
        ) from error
