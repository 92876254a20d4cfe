"""SymmetryStringTransformer: crystals in, symmetry strings out."""

import warnings
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from tqdm.auto import tqdm

from ..crystals.items import as_items
from ..crystals.reading import read_crystal
from ..crystals.transformer import CrystalTransformer
from .strings import PARTS, check_options, compose_strings

_CHUNK = 256  # crystals that are searched, or travel to a worker, at a time: as plain arrays


class SymmetryStringTransformer(CrystalTransformer):
    """Turn crystals into symmetry strings.

    A symmetry string names the space group by its generators, the occupied Wyckoff positions and
    the composition: `1 4 b O O O c O O O d O O O e O O O 0 | 1a Cs 1b Cl | Cs 0.5 Cl 0.5`. The same
    crystal gives the same string however its sites are ordered, its origin is placed and its cell
    is chosen. The transformer learns nothing: `fit` only checks the parameters.

    Parameters
    ----------
    parts : sequence of {"generators", "sites", "composition"}
        The parts of the string that are written.
    sites : {"orbits", "set"}, default="orbits"
        `"orbits"` names each orbit with its element; `"set"` names the occupied Wyckoff positions
        only, as the paper does.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom. Where no space group is found
        the search is repeated with less, down to a fifth of it.
    angle_tolerance : float, default=None
        Tolerance on angles between cell vectors, in degrees; None leaves it to `symprec`.
    backend : {"moyopy", "spglib"}, default="moyopy"
        Library that searches the symmetry. moyopy is several times faster; both give the same
        string for nearly all crystals.
    on_error : {"raise", "warn"}, default="raise"
        What to do with an item that is no valid crystal. `"warn"` puts None in its row and lists
        the rows in one `UserWarning`, so that they can be dropped before an estimator sees them.
    n_jobs : int, default=None
        Number of joblib workers; None is 1 unless in a `joblib.parallel_config` context.
    verbose : int, default=0
        Above 0 shows a progress bar.

    See Also
    --------
    symmetry_string : The same for one crystal.
    CloudRegressor : Predicts a property from the strings.

    Notes
    -----
    Section 3.1 of the CLOUD paper. Input is a list, object array or Series of pymatgen
    `Structure`, ase `Atoms`, CIF text, paths of CIF files, and, for data without structures,
    pymatgen `Composition` or formulas, which give strings of the composition alone. Oxidation
    states and spins are ignored, partial occupancies enter the composition. Identical crystals
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
        symprec=0.1,
        angle_tolerance=None,
        backend="moyopy",
        on_error="raise",
        n_jobs=None,
        verbose=0,
    ):
        self.parts = parts
        self.sites = sites
        self.symprec = symprec
        self.angle_tolerance = angle_tolerance
        self.backend = backend
        self.on_error = on_error
        self.n_jobs = n_jobs
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
        TypeError
            If `X` is not a one-dimensional collection of crystals.
        ValueError
            If a parameter is invalid or `X` is empty.
        """
        self._check_parameters()
        as_items(X)
        return self

    def transform(self, X):
        """Write the symmetry string of each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals, or a DataFrame with one column of them.

        Returns
        -------
        ndarray of shape (n_crystals,), object
            Strings; None in the rows that `on_error="warn"` passed over. A DataFrame with one
            column after `set_output(transform="pandas")`.

        Raises
        ------
        TypeError, ValueError
            If an item is no valid crystal; the message names its row.
        """
        self._check_parameters()
        items = as_items(X)
        crystals, problems = self._read(items)
        keys = [None if crystal is None else crystal.key for crystal in crystals]
        unique = dict(zip(keys, crystals, strict=True))
        unique.pop(None, None)
        results = dict(zip(unique, self._search(list(unique.values())), strict=True))
        strings = np.empty(len(items), dtype=object)
        for row, key in enumerate(keys):
            if key is not None:
                if isinstance(results[key], ValueError):
                    problems[row] = results[key]
                else:
                    strings[row] = results[key]
        self._report(problems)
        return strings

    def get_feature_names_out(self, input_features=None):
        """Name of the one output column.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (1,), object
            `["symmetry_string"]`.
        """
        return np.array(["symmetry_string"], dtype=object)

    def _check_parameters(self):
        check_options(self.parts, self.sites, self.symprec, self.angle_tolerance, self.backend)
        if self.on_error not in ("raise", "warn"):
            raise ValueError(f"on_error must be 'raise' or 'warn', got {self.on_error!r}.")
        if self.n_jobs is not None and not isinstance(self.n_jobs, Integral):
            raise ValueError(f"n_jobs must be None or an integer, got {self.n_jobs!r}.")

    def _read(self, items):
        """Crystals (None where unreadable) and {row: error}."""
        crystals, problems = [], {}
        for row, item in enumerate(items):
            try:
                crystals.append(read_crystal(item))
            except (TypeError, ValueError) as error:
                problems[row] = error
                crystals.append(None)
                if self.on_error == "raise":
                    break  # reported at once: the rest may take long to read
        return (crystals, problems) if self.on_error == "warn" or not problems else ([], problems)

    def _search(self, crystals):
        """A string or a ValueError for each crystal."""
        options = {
            "parts": tuple(self.parts),
            "sites": self.sites,
            "symprec": self.symprec,
            "angle_tolerance": self.angle_tolerance,
            "backend": self.backend,
        }
        n_jobs = effective_n_jobs(self.n_jobs)
        size = max(1, min(_CHUNK, -(-len(crystals) // n_jobs)))
        chunks = [crystals[start : start + size] for start in range(0, len(crystals), size)]
        if n_jobs == 1:
            found = (compose_strings(chunk, **options) for chunk in chunks)
        else:
            parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
            found = parallel(delayed(compose_strings)(chunk, **options) for chunk in chunks)
        results = []
        with tqdm(total=len(crystals), disable=not self.verbose, unit="crystal") as bar:
            for chunk in found:
                results += chunk
                bar.update(len(chunk))
        return results

    def _report(self, problems):
        if not problems:
            return
        if self.on_error == "raise":
            row, error = min(problems.items())
            raise type(error)(f"row {row}: {error}") from error
        shown = "; ".join(f"row {row}: {error}" for row, error in sorted(problems.items())[:10])
        warnings.warn(
            f"{len(problems)} of the items are no valid crystals, their strings are None: rows "
            f"{sorted(problems)}. {shown}",
            stacklevel=3,
        )
