"""Cells of a crystal: reduced, primitive, and in the form of moyopy."""

import logging
import math
from functools import lru_cache

import numpy as np

from .errors import CrystalError
from .limits import check_tolerances, longest_search, may_be_slow
from .time_limit import within_limit

#: A search that fails is repeated with these fractions of symprec: with too wide a tolerance, the
#: operations found do not form a group.
SYMPREC_SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)


def primitive_cell(crystal, symprec):
    """Return the Niggli-reduced primitive cell of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Distance within which sites count as equivalent, in angstrom. A search that fails is
        repeated with a smaller value, as for the space group.

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
        If no primitive cell is found, or the search takes too long (`longest_search`).
    """
    reduced = niggli_cell(crystal.lattice)
    size = reduced, len(crystal.kinds)
    basis, positions, kinds = limited(size, symprec, _search_primitive, crystal, reduced, symprec)
    lattice = niggli_cell(basis)
    return lattice, positions @ basis @ np.linalg.inv(lattice), kinds


def _search_primitive(crystal, reduced, symprec):
    """Return cell vectors, positions and kinds of the primitive cell."""
    import moyopy

    quieten_moyopy()
    for share in SYMPREC_SHARES:
        try:
            check_tolerances(reduced, share * symprec)
            found = moyopy.MoyoDataset(moyopy_cell(crystal), symprec=share * symprec)
        except ValueError as error:
            failure = error
        else:
            cell = found.prim_std_cell
            return np.array(cell.basis), np.array(cell.positions), np.array(cell.numbers) - 1
    raise CrystalError(
        f"no primitive cell found at symprec={symprec} ({failure}); try a smaller symprec"
    )


def search_spglib(function, cell, symprec):
    """Search the symmetry of a cell with spglib, within the limits of all searches.

    Parameters
    ----------
    function : callable
        Such as ``spglib.get_symmetry``.
    cell : (lattice, positions, numbers)
        Cell vectors as rows in angstrom, fractional coordinates, and kinds of the sites.
    symprec : float
        Distance within which sites count as equivalent, in angstrom.

    Returns
    -------
    object
        The result of the function, or None if it finds nothing.

    Raises
    ------
    CrystalError
        If the cell is too long and thin for `symprec`, or the search takes too long
        (`longest_search`).
    """
    reduced = niggli_cell(cell[0])
    check_tolerances(reduced, symprec)
    return limited((reduced, len(cell[2])), symprec, _ask_or_none, function, cell, symprec)


def limited(size, symprec, function, *arguments):
    """Call a symmetry search; under a limit on its time if it may be slow.

    Parameters
    ----------
    size : (ndarray of shape (3, 3), int)
        Reduced cell vectors as rows, in angstrom, and the number of sites.
    symprec : float
        In angstrom.
    function : callable
        Defined in a module, so that it can be pickled.
    *arguments
        Its arguments.

    Raises
    ------
    CrystalError
        If it takes too long (`longest_search`); and what the function raises.
    """
    if may_be_slow(*size, symprec):
        return within_limit(function, *arguments, seconds=longest_search(size[1]))
    return function(*arguments)


def _ask_or_none(function, cell, symprec):
    try:
        return ask_spglib(function, cell, symprec=symprec)
    except ValueError:
        return None


def cell_vectors(lengths, angles):
    """Return cell vectors as rows (angstrom) from lengths (angstrom) and angles (degrees).

    Raises
    ------
    CrystalError
        If there is no such cell.
    """
    if not all(0 < length < math.inf for length in lengths) or not all(0 < a < 180 for a in angles):
        raise CrystalError(f"a cell with lengths {lengths} and angles {angles} does not exist")
    cosines = [0.0 if angle == 90 else math.cos(math.radians(angle)) for angle in angles]
    alpha, beta, gamma = cosines
    sine = math.sqrt(1 - gamma**2)
    y = (alpha - beta * gamma) / sine
    square = 1 - beta**2 - y**2
    if square <= 0:
        raise CrystalError(f"there is no cell with the angles {angles} (degrees)")
    rows = [[1, 0, 0], [gamma, sine, 0], [beta, y, math.sqrt(square)]]
    return np.array(rows) * np.array(lengths)[:, None]


def cell_shape(lattice):
    """Return the lengths of cell vectors (angstrom) and the cosines of alpha, beta, gamma."""
    lengths = np.linalg.norm(lattice, axis=1)
    unit = lattice / lengths[:, None]
    return lengths, (unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1])


def niggli_cell(lattice):
    """Return the Niggli-reduced cell vectors as rows, shape (3, 3).

    Raises
    ------
    CrystalError
        If neither moyopy nor spglib can reduce the cell.
    """
    import moyopy

    try:
        return np.array(moyopy.niggli_reduce(np.asarray(lattice).tolist())[0])
    except ValueError as error:
        # it does not converge if lengths or angles are equal except for the last digits
        import spglib

        try:
            return ask_spglib(spglib.niggli_reduce, lattice)
        except ValueError:
            raise CrystalError(f"the cell cannot be reduced: {error}") from error


def ask_spglib(function, *arguments, **options):
    """Call a function of spglib, and raise an exception if it fails.

    Parameters
    ----------
    function : callable
        It returns None if it fails or, if ``SPGLIB_OLD_ERROR_HANDLING`` is 0 or the version of
        spglib is 3 or newer, raises an exception.
    *arguments, **options
        Arguments of the function.

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
    """Return the cell of a `Crystal` for moyopy."""
    import moyopy

    return moyopy.Cell(
        crystal.lattice.tolist(), crystal.positions.tolist(), (crystal.kinds + 1).tolist()
    )


@lru_cache(maxsize=1)
def quieten_moyopy():
    # Without any handler, Python prints the warnings that moyopy logs for every non-primitive
    # cell to stderr; applications that configure logging still receive them.
    logging.getLogger("moyo").addHandler(logging.NullHandler())
