"""SymmetryStringTransformer: transform crystals to symmetry strings."""

from functools import partial
from numbers import Integral

import numpy as np

from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, warn_errors, warn_notes
from .strings import NUMBER_NAMES, PARTS, check_options, compose_strings


class SymmetryStringTransformer(CrystalTransformer):
    """Transform crystals to symmetry strings.

    A symmetry string lists the generators of the space group, the occupied Wyckoff positions and
    the composition: `1 4 b O O O c O O O d O O O e O O O 0 | 1a Cs 1b Cl | Cs 0.5 Cl 0.5`. The
    string of a crystal does not depend on the order of its sites, its origin and the choice of its
    cell. The transformer is stateless: `fit` only checks the parameters.

    Parameters
    ----------
    parts : sequence of {"generators", "sites", "composition"}
        The parts of the string to write.
    sites : {"orbits", "set"}, default="orbits"
        `"orbits"` lists each orbit with its element; `"set"` lists only the set of occupied
        Wyckoff positions, as in the paper.
    numbers : {"geometry", "bonds"} or None, default=None
        `"geometry"` adds 13 numbers to each string, which describe what the string leaves out:
        volume per site, density, number of sites, shape of the reduced cell, nearest-neighbour
        distances, numbers of orbits and of Wyckoff positions (logarithms; see
        `get_feature_names_out`). `CloudRegressor` learns from them too; the model then needs
        coordinates. String and numbers come from the same symmetry search. `"bonds"` adds 30 more
        about bonds (means of those of `BondFeatures`), which helps on all tables tried; NaN where
        an atom has no neighbour within 8 angstrom.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom. If no space group is found,
        the search is repeated with smaller values, down to a fifth.
    angle_tolerance : float, default=None
        Tolerance on angles between cell vectors, in degrees; None derives it from `symprec`.
    backend : {"moyopy", "spglib"}, default="moyopy"
        Library for the symmetry search. moyopy is several times faster; both give the same string
        for nearly all crystals.
    on_error : {"raise", "warn"}, default="raise"
        How to handle items that are not valid crystals. `"raise"` lists all of them in one error.
        `"warn"` sets their strings to None and lists them in one `UserWarning`, so that they can
        be dropped before the estimator.
    n_jobs : int, default=None
        Number of joblib workers for reading and symmetry searches; None means 1 unless in a
        `joblib.parallel_config` context.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    symmetry_string : Symmetry string of a single crystal.
    CloudRegressor : Predict a property from the strings.

    Notes
    -----
    See section 3.1 of the CLOUD paper. The input is a list, object array or Series of pymatgen
    `Structure`, ase `Atoms`, CIF text, paths of CIF files or, for data without structures,
    pymatgen `Composition` or formulas, which give strings of the composition only. Oxidation
    states and spins are ignored; partial occupancies count in the composition. Identical crystals
    are searched once.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud import SymmetryStringTransformer
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> SymmetryStringTransformer(parts=["sites", "composition"]).fit_transform([cscl, "NaCl"])
    array(['1a Cs 1b Cl | Cs 0.5 Cl 0.5', 'Na 0.5 Cl 0.5'], dtype=object)
    """

    def __init__(
        self,
        *,
        parts=PARTS,
        sites="orbits",
        numbers=None,
        symprec=0.1,
        angle_tolerance=None,
        backend="moyopy",
        on_error="raise",
        n_jobs=None,
        verbose=0,
    ):
        self.parts = parts
        self.numbers = numbers
        self.sites = sites
        self.symprec = symprec
        self.angle_tolerance = angle_tolerance
        self.backend = backend
        self.on_error = on_error
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the parameters.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals; only the type of the collection is checked.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `X` is not a one-dimensional collection of crystals.
        ValueError
            If a parameter is invalid or `X` is empty.
        """
        self._check_parameters()
        as_items(X)
        return self

    def transform(self, X):
        """Return the symmetry string of each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals, or a DataFrame with one column of them.

        Returns
        -------
        ndarray of shape (n_crystals,) or (n_crystals, 1 + n_numbers), object
            Strings, followed by the numbers, 13 or 43; None in the rows skipped
            by `on_error="warn"`. A DataFrame after `set_output(transform="pandas")`.

        Raises
        ------
        TypeError, ValueError
            If items are not valid crystals; the message lists all of their rows.
        """
        self._check_parameters()
        rows = compute_rows(
            as_items(X),
            partial(compose_strings, **self._options()),
            n_jobs=self.n_jobs,
            label="symmetry" if self.verbose else None,
            on_error="raise" if self.on_error == "raise" else "keep",
        )
        warn_notes(rows)
        warn_errors(rows, "their strings are None")
        # the last entry is for rows with an error
        if self.numbers is None:
            return np.array([*rows.results, None], dtype=object)[rows.places]
        missing = (None, *[np.nan] * len(NUMBER_NAMES[self.numbers]))
        return np.array([*rows.results, missing], dtype=object)[rows.places]

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (1 + n_numbers,), object
            `"symmetry_string"`, followed by the names of the numbers.
        """
        numbers = NUMBER_NAMES.get(self.numbers, ())
        return np.array(["symmetry_string", *numbers], dtype=object)

    def _check_parameters(self):
        check_options(self.parts, self.sites, self.symprec, self.angle_tolerance, self.backend)
        if self.numbers is not None and self.numbers not in NUMBER_NAMES:
            raise ValueError(
                f"numbers must be None or one of {list(NUMBER_NAMES)}, got {self.numbers!r}."
            )
        if self.on_error not in ("raise", "warn"):
            raise ValueError(f"on_error must be 'raise' or 'warn', got {self.on_error!r}.")
        if self.n_jobs is not None and not isinstance(self.n_jobs, Integral):
            raise ValueError(f"n_jobs must be None or an integer, got {self.n_jobs!r}.")

    def _options(self):
        return {
            "parts": tuple(self.parts),
            "sites": self.sites,
            "numbers": self.numbers,
            "symprec": self.symprec,
            "angle_tolerance": self.angle_tolerance,
            "backend": self.backend,
        }
