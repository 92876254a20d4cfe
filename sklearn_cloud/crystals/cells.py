"""Cells of a crystal: reduced, primitive, and as moyopy takes them."""

import logging
import math
from functools import lru_cache

import numpy as np

from .errors import CrystalError
from .limits import check_tolerances

#: A search that fails is repeated with these shares of symprec: a tolerance that is too wide for a
#: crystal maps its sites onto each other in ways that form no group.
SYMPREC_SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)


def primitive_cell(crystal, symprec):
    """The Niggli-reduced primitive cell of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Distance within which sites count as equivalent, in angstrom. Where the search fails it
        is repeated with less, as that of the space group is.

    Returns
    -------
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom, a <= b <= c.
    positions : ndarray of shape (n_sites, 3)
        Fractional coordinates.
    kinds : ndarray of shape (n_sites,), int
        As in `Crystal`.

    Raises
    ------
    CrystalError
        If no primitive cell is found.
    """
    primitive = _search_primitive(crystal, symprec)
    basis = np.array(primitive.basis)
    lattice = niggli_cell(primitive.basis)
    positions = np.array(primitive.positions) @ basis @ np.linalg.inv(lattice)
    return lattice, positions, np.array(primitive.numbers) - 1


def _search_primitive(crystal, symprec):
    import moyopy

    quieten_moyopy()
    reduced = niggli_cell(crystal.lattice)
    for share in SYMPREC_SHARES:
        try:
            check_tolerances(reduced, share * symprec)
            return moyopy.MoyoDataset(moyopy_cell(crystal), symprec=share * symprec).prim_std_cell
        except ValueError as error:
            failure = error
    raise CrystalError(
        f"no primitive cell is found at symprec={symprec} ({failure}); try a smaller symprec"
    )


def cell_vectors(lengths, angles):
    """Cell vectors as rows (angstrom) of lengths (angstrom) and the angles between them (degrees).

    Raises
    ------
    CrystalError
        If they form no cell.
    """
    if not all(0 < length < math.inf for length in lengths) or not all(0 < a < 180 for a in angles):
        raise CrystalError(f"a cell of lengths {lengths} and angles {angles} does not exist")
    cosines = [0.0 if angle == 90 else math.cos(math.radians(angle)) for angle in angles]
    alpha, beta, gamma = cosines
    sine = math.sqrt(1 - gamma**2)
    y = (alpha - beta * gamma) / sine
    square = 1 - beta**2 - y**2
    if square <= 0:
        raise CrystalError(f"angles of {angles} degrees form no cell")
    rows = [[1, 0, 0], [gamma, sine, 0], [beta, y, math.sqrt(square)]]
    return np.array(rows) * np.array(lengths)[:, None]


def cell_shape(lattice):
    """Lengths of cell vectors (angstrom) and the cosines of the angles alpha, beta, gamma."""
    lengths = np.linalg.norm(lattice, axis=1)
    unit = lattice / lengths[:, None]
    return lengths, (unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1])


def niggli_cell(lattice):
    """Niggli-reduced cell vectors as rows, shape (3, 3).

    Raises
    ------
    CrystalError
        If neither moyopy nor spglib can reduce the cell.
    """
    import moyopy

    try:
        return np.array(moyopy.niggli_reduce(np.asarray(lattice).tolist())[0])
    except ValueError as error:
        # it goes in circles where lengths or angles are equal but for the last digits
        import spglib

        try:
            return ask_spglib(spglib.niggli_reduce, lattice)
        except ValueError:
            raise CrystalError(f"the cell cannot be reduced: {error}") from error


def ask_spglib(function, *arguments, **options):
    """What a function of spglib returns.

    Parameters
    ----------
    function : callable
        One of those that return None where they fail, unless ``SPGLIB_OLD_ERROR_HANDLING`` is 0
        or the version of spglib is 3 or newer: there they raise an exception.
    *arguments, **options
        Those of the function.

    Raises
    ------
    ValueError
        If the function fails, in either way.
    """
    import spglib

    failures = getattr(spglib, "SpglibError", ())  # spglib 2.7 or newer
    try:
        result = function(*arguments, **options)
    except failures as error:
        raise ValueError(f"spglib: {error}") from error
    if result is None:
        raise ValueError("spglib returned nothing")
    return result


def moyopy_cell(crystal):
    """A `Crystal` as moyopy takes it."""
    import moyopy

    return moyopy.Cell(
        crystal.lattice.tolist(), crystal.positions.tolist(), (crystal.kinds + 1).tolist()
    )


@lru_cache(maxsize=1)
def quieten_moyopy():
    # Without any handler, Python prints the warnings that moyopy logs for every non-primitive
    # cell to stderr; applications that configure logging still receive them.
    logging.getLogger("moyo").addHandler(logging.NullHandler())
