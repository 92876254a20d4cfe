"""What users hold (structures, CIF files, formulas) read into one plain form, with its checks."""

import os
from pathlib import Path

import numpy as np

from .crystal import Crystal, Formula, check_crystal, check_elements


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
    check_elements(amounts, "the composition")
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
