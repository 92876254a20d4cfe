"""Read the crystal of a CIF, and compare it with all that the file says about it."""

import math
from typing import NamedTuple

import numpy as np

from .cells import cell_vectors
from .cif_block import read_blocks
from .cif_formula import check_formula, formula_of
from .cif_labels import read_element
from .cif_orbits import expand_positions
from .cif_symmetry import find_operators
from .crystal import Crystal, check_crystal, close_pairs
from .errors import CrystalError
from .species import add_note, index_species, settle_species

_LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
_ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
_COORDINATES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
_OTHERS = ("label", "type_symbol", "occupancy", "calc_flag", "attached_hydrogens")
_FULL = (None, "1", "1.0")
_FEW_DIGITS = 2
_MERGED = (0.05, 0.5)  # angstrom: smallest and largest tolerance between two entries of one site


def read_cif(text, notes=None):
    """Read the crystal of a CIF text.

    Parameters
    ----------
    text : str
    notes : list, default=None
        Changes and warnings are appended to it.

    Returns
    -------
    Crystal

    Raises
    ------
    CrystalError
        If the text is not a CIF of exactly one crystal, a value cannot be read, or the atoms do
        not match the formula in the file.
    """
    blocks = read_blocks(text, notes)
    if len(blocks) > 1:
        names = ", ".join(block.name for block in blocks[:5])
        raise CrystalError(
            f"it contains {len(blocks)} crystals ({names}); keep the data block of one of them, "
            f"from its `data_` line to the next"
        )
    return _read_block(blocks[0], notes)


def _read_block(block, notes):
    lattice = _read_cell(block)
    formula = formula_of(block)
    atoms = _read_atoms(block, formula, notes)
    problems = []
    candidates = []
    for operators in find_operators(block, notes):
        if not operators.keep(lattice):
            problems.append(CrystalError(f"the cell does not fit {operators.name}"))
            continue
        try:
            taken = []
            crystal = _build(atoms, operators, lattice, taken)
            check_formula(block, crystal.composition, formula, taken)
        except CrystalError as error:
            problems.append(error)
            continue
        candidates.append((len(crystal.kinds), len(candidates), crystal, taken, operators))
    if not candidates:
        raise problems[0]
    # of several possible settings, the one with fewest atoms has them on special positions
    _, place, crystal, taken, operators = min(candidates, key=lambda found: found[:2])
    if len({found[0] for found in candidates}) > 1:
        add_note(
            notes, f"the file does not name its setting; read in {operators.name.split('the ')[-1]}"
        )
    for text in taken:
        add_note(notes, text)
    return crystal


def _read_cell(block):
    lengths = [_read_number(block.value(tag), tag) for tag in _LENGTHS]
    angles = [_read_number(block.value(tag) or "90", tag) for tag in _ANGLES]
    return cell_vectors(lengths, angles)


def _read_number(text, what):
    """Read a number in CIF form, `5.381(1)`, or a fraction, `1/3`."""
    if text is None:
        raise CrystalError(f"{what} is missing")
    try:
        value = float(text.split("(")[0]) if "/" not in text else _divide(*text.split("/"))
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise CrystalError(f"{what} is {text!r:.40}, which is not a number") from error
    if not math.isfinite(value):
        raise CrystalError(f"{what} is {text!r}, which is not finite")
    return value


def _divide(above, below):
    return float(above) / float(below)


class _Atoms(NamedTuple):
    """The atoms listed in a file."""

    labels: list
    species: list  # (element, occupancy) of each
    positions: np.ndarray
    unit: float  # largest error of a coordinate


def _read_atoms(block, formula, notes):
    columns = [block.values(tag) for tag in _COORDINATES]
    n_atoms = len(columns[0])
    others = [block.values(f"_atom_site_{name}") or [None] * n_atoms for name in _OTHERS]
    if any(len(column) != n_atoms for column in columns + others):
        raise CrystalError("the columns of its atom table have different lengths")
    kept, species, positions = [], [], []
    for texts, (label, symbol, *rest) in zip(zip(*columns), zip(*others), strict=True):
        name = label or symbol or f"number {len(kept) + 1}"
        held = _read_species(name, label, symbol, *rest, formula, notes)
        if held is not None:
            what = f"a coordinate of atom {name}"
            positions.append([_read_number(text, what) for text in texts])
            species.append(held)
            kept.append(name)
    if not kept:
        raise CrystalError("it lists no atoms with coordinates")
    digits = _count_digits(columns)
    return _Atoms(kept, species, _exact_thirds(np.array(positions), digits), _rounding(digits))


def _read_species(name, label, symbol, occupancy, flag, hydrogens, formula, notes):
    """Return the element and occupancy of one atom; None for one to be left out."""
    element = read_element(symbol, label, formula, notes)
    share = 1.0 if occupancy in _FULL else _read_number(occupancy, f"the occupancy of atom {name}")
    if hydrogens not in (None, "0"):
        add_note(notes, "hydrogens without coordinates, attached to other atoms, were left out")
    if share < 0:
        raise CrystalError(f"the occupancy of atom {name} is {share:g}")
    if element is None or flag == "dum":
        add_note(notes, "dummy atoms were left out")
    elif share == 0:
        add_note(notes, "atoms with occupancy 0 were left out")
    else:
        return element, share
    return None


def _count_digits(columns):
    """Return the largest number of decimals of the coordinates."""
    return max(
        (
            len(text.split("(")[0].partition(".")[2])
            for column in columns
            for text in column
            if text
        ),
        default=0,
    )


def _rounding(digits):
    """Return the largest error of coordinates with so many decimals: truncated, or rounded."""
    return (0.525 if digits <= _FEW_DIGITS else 1.05) * 10.0 ** -max(digits, 1)


def _exact_thirds(positions, digits):
    """Replace coordinates that are multiples of 1/6 within their last decimal by exact ones."""
    if digits <= _FEW_DIGITS:
        return positions
    # 0.3333 counts as a third also in a file with six decimals elsewhere
    sixths = np.rint(positions * 6) / 6
    near = np.abs(positions - sixths) < max(1.05 * 10.0**-digits, 1e-4)
    return np.where(near, sixths, positions)


def _build(atoms, operators, lattice, notes):
    positions, owners = expand_positions(atoms.positions, operators, lattice, atoms.unit)
    groups = _shared_sites(positions, owners, lattice, atoms.unit, len(atoms.labels))
    species = {}
    for first, members in groups.items():
        species[first] = _merge(members, atoms, notes)
    kept = np.array([owner in species for owner in owners.tolist()])
    kinds, distinct = index_species([species[owner] for owner in owners[kept].tolist()])
    crystal = Crystal(lattice, np.ascontiguousarray(positions[kept]), kinds, distinct)
    return check_crystal(crystal)


def _shared_sites(positions, owners, lattice, unit, n_atoms):
    """Return {first atom: atoms listed on its site}; several on a disordered site."""
    leader = list(range(n_atoms))
    least, most = _MERGED
    reach = float(np.clip(2 * unit * np.linalg.norm(lattice, axis=1).max(), least, most))
    first, second, _ = close_pairs(positions, lattice, reach)
    for one, other in zip(owners[first].tolist(), owners[second].tolist(), strict=True):
        one, other = _root(leader, one), _root(leader, other)
        leader[max(one, other)] = min(one, other)
    groups = {}
    for atom in range(n_atoms):
        groups.setdefault(_root(leader, atom), []).append(atom)
    return groups


def _root(leader, atom):
    while leader[atom] != atom:
        atom = leader[atom]
    return atom


def _merge(members, atoms, notes):
    """Return the species of a site, listed as one or several atoms."""
    held = [atoms.species[member] for member in members]
    names = " and ".join(atoms.labels[member] for member in members)
    if len(members) > 1 and len(set(held)) == 1 and len(held) * held[0][1] > 1.05:
        add_note(notes, "atoms listed more than once were counted once")
        held = held[:1]
    return settle_species(held, f"the site of {names}", notes)
