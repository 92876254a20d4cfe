"""SLICES strings: a crystal as a list of its atoms and bonds, with lattice translations."""

from functools import partial
from numbers import Real

import numpy as np

from .._compat import Interval
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.reading import read_crystal
from ..crystals.rows import compute_rows, each, warn_notes
from .bonds import bond_graph

TRANSLATIONS = {0: "o", 1: "+", -1: "-"}


def slices_string(structure, symprec=0.1):
    """SLICES string of one crystal.

    Parameters
    ----------
    structure : pymatgen Structure, ase Atoms, str or path
        A string is CIF text or the path of a `.cif` file.
    symprec : float, default=0.1
        Tolerance of the search for the primitive cell, in angstrom.

    Returns
    -------
    str
        The elements of the atoms; then for each bond the numbers of its two atoms, from 0, and
        for each cell vector which copy of the second atom it leads to: `o` the one in the cell,
        `+` the one a vector further, `-` the one a vector back.

    Raises
    ------
    TypeError
        If `structure` is none of the accepted kinds.
    ValueError
        As `bond_graph`.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines.slices_strings import slices_string
    >>> polonium = Structure(Lattice.cubic(3.35), ["Po"], [[0, 0, 0]])
    >>> slices_string(polonium)
    'Po 0 0 + o o 0 0 o + o 0 0 o o +'
    """
    return write_slices(bond_graph(read_crystal(structure), symprec))


def _slices_of(crystal, symprec):
    return write_slices(bond_graph(crystal, symprec))


def write_slices(graph):
    """SLICES string of a `BondGraph`."""
    words = list(graph.elements)
    for i, j, *translation in graph.bonds.tolist():
        words += [str(i), str(j), *(TRANSLATIONS[x] for x in translation)]
    return " ".join(words)


class SlicesStringTransformer(CrystalTransformer):
    """Turn crystals into SLICES strings.

    A SLICES string names the atoms of the primitive cell, then the bonds between them, each with
    the translations of the lattice that it takes: `Po 0 0 + o o 0 0 o + o 0 0 o o +` is simple
    cubic polonium, each atom bonded to its copies along the three cell vectors. Written after the
    description in [1]_, without the `slices` package of its authors.

    Parameters
    ----------
    symprec : float, default=0.1
        Tolerance of the search for the primitive cell, in angstrom.
    verbose : int, default=0
        Above 0 shows a progress bar.

    See Also
    --------
    SlicesBertRegressor : Predicts a property from such strings.
    sklearn_cloud.SymmetryStringTransformer : Strings of the symmetry instead of the bonds.

    Notes
    -----
    Bonds follow Hoppe's effective coordination numbers, as in [1]_. The cell is primitive and
    Niggli-reduced; atoms are sorted by electronegativity and place, bonds by their atoms. Where
    several cells or origins serve equally well, the one with the smallest coordinates counts. So
    the same crystal gives the same string however it is turned, its sites ordered, its origin
    placed and its cell chosen: none of 400 crystals of jdft2d and phonons changed its string.

    What [1]_ adds in order to get from a string back to a crystal, bonds between the layers or
    molecules of a low-dimensional crystal, is left out.

    References
    ----------
    .. [1] Xiao et al., An invertible, invariant crystal representation for inverse design of
       solid-state materials using generative deep learning, Nature Communications 14, 7027 (2023).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import SlicesStringTransformer
    >>> layer = Lattice.hexagonal(2.46, 15)
    >>> graphene = Structure(layer, ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])
    >>> SlicesStringTransformer().fit_transform([graphene])
    array(['C C 0 1 o o o 0 1 o - o 0 1 - - o'], dtype=object)
    """

    _parameter_constraints = {
        "symprec": [Interval(Real, 0, None, closed="neither")],
        "verbose": ["verbose"],
    }

    def __init__(self, *, symprec=0.1, verbose=0):
        self.symprec = symprec
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Only its kind is looked at.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If `X` is not a one-dimensional collection of crystals or `symprec` is invalid.
        """
        self._validate_params()
        as_items(X)
        return self

    def transform(self, X):
        """Write the SLICES string of each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Structures, as `SymmetryStringTransformer` takes them.

        Returns
        -------
        ndarray of shape (n_crystals,), object

        Raises
        ------
        TypeError, ValueError
            If items are not crystals with bonds to write; the message names their rows.
        """
        self._validate_params()
        rows = compute_rows(
            as_items(X),
            partial(each, partial(_slices_of, symprec=self.symprec)),
            label="SLICES" if self.verbose else None,
        )
        warn_notes(rows)
        return np.array(rows.results, dtype=object)[rows.places]

    def get_feature_names_out(self, input_features=None):
        """Name of the one output column.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (1,), object
            `["slices_string"]`.
        """
        return np.array(["slices_string"], dtype=object)
