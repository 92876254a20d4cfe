"""Cross-validators that leave out every crystal of an element or of a space group."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from ..crystals.crystal import ELEMENT_RANK
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, each, need_structure, read_rows
from ..symmetry.search import find_symmetry
from ..symmetry.strings import check_options


class _LeaveOneLabelOut(BaseCrossValidator):
    """Base class: one fold for each label that some crystals have."""

    _label = ""  # what is left out

    def __init__(self, min_test=5, *, min_train=5, n_jobs=None):
        self.min_test = min_test
        self.min_train = min_train
        self.n_jobs = n_jobs

    def _labels_of_rows(self, items):
        """Return the set of labels of each row."""
        raise NotImplementedError

    def left_out(self, X, y=None, groups=None):
        """Return what each fold leaves out.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals.
        y : object, default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            The crystals, if X has something else.

        Returns
        -------
        list
            In the order of the folds.

        Raises
        ------
        ValueError
            As `split`.
        """
        return [label for label, _ in self._folds(X, groups)]

    def split(self, X, y=None, groups=None):
        """Yield the training and test rows of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, paths of files or formulas.
        y : array-like of shape (n_samples,), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            The crystals, if X has something else, such as strings or features.

        Yields
        ------
        train, test : ndarray of int
            Row numbers.

        Raises
        ------
        TypeError, CrystalError
            If a row is not a crystal; the message lists all of them.
        ValueError
            If a parameter is invalid, or no label leaves enough rows for training and testing.
        """
        return super().split(X, y, groups)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals.
        y : object, default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            The crystals, if X has something else.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            As `split`, or if there are no crystals.
        """
        return len(self._folds(X, groups))

    def _iter_test_masks(self, X=None, y=None, groups=None):
        for _, mask in self._folds(X, groups):
            yield mask

    def _folds(self, X, groups):
        """Return (label, mask of the test rows) of each fold."""
        name = type(self).__name__
        for parameter in ("min_test", "min_train"):
            value = getattr(self, parameter)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{parameter} must be a positive integer, got {value!r}.")
        crystals = X if groups is None else groups
        if crystals is None:
            raise ValueError(f"{name} needs the crystals: pass them as X or as groups.")
        of_row = self._labels_of_rows(as_items(crystals))
        labels = sorted(set().union(*of_row), key=self._sort_key)
        folds = [(label, np.array([label in found for found in of_row])) for label in labels]
        kept = [
            (label, mask)
            for label, mask in folds
            if mask.sum() >= self.min_test and (~mask).sum() >= self.min_train
        ]
        if not kept:
            counts = ", ".join(f"{label} in {mask.sum()}" for label, mask in folds[:5])
            more = f", and {len(folds) - 5} more" if len(folds) > 5 else ""
            raise ValueError(
                f"{name} has no fold: no {self._label} is in at least min_test={self.min_test} of "
                f"the {len(of_row)} rows and leaves min_train={self.min_train} others ({counts}"
                f"{more}). Pass more rows or smaller values."
            )
        return kept

    @staticmethod
    def _sort_key(label):
        return label


class LeaveOneElementOut(_LeaveOneLabelOut):
    """Leave out all crystals that contain an element, for each element in turn.

    The test rows of a fold are all crystals with the element, the training rows those without it:
    the error is that of predictions for an element that the model has never seen. A crystal is a
    test row once for each of its elements. Elements with too few crystals, or whose absence leaves
    too few, such as oxygen in a table of oxides, have no fold; `left_out` lists those that have.

    Parameters
    ----------
    min_test : int, default=5
        Smallest number of test rows of a fold.
    min_train : int, default=5
        Smallest number of training rows of a fold.
    n_jobs : int, default=None
        Number of joblib workers that read crystals; None means 1 unless in a
        `joblib.parallel_config` context.

    See Also
    --------
    LeaveOneSpaceGroupOut : The same for space groups.
    sklearn.model_selection.GroupKFold : Keep rows of one group together.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import LeaveOneElementOut
    >>> formulas = ["NaCl", "NaBr", "KCl", "KBr"]
    >>> splitter = LeaveOneElementOut(min_test=2, min_train=2)
    >>> splitter.left_out(formulas)
    ['K', 'Na', 'Br', 'Cl']
    >>> [(train.tolist(), test.tolist()) for train, test in splitter.split(formulas)][0]
    ([0, 1], [2, 3])
    """

    _label = "element"

    def _labels_of_rows(self, items):
        return [set(crystal.composition) for crystal in read_rows(items, n_jobs=self.n_jobs)]

    @staticmethod
    def _sort_key(label):
        return ELEMENT_RANK[label]


class LeaveOneSpaceGroupOut(_LeaveOneLabelOut):
    """Leave out all crystals of a space group, for each space group in turn.

    Parameters
    ----------
    min_test : int, default=5
        Smallest number of test rows of a fold: rarer space groups are not left out.
    min_train : int, default=5
        Smallest number of training rows of a fold.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    n_jobs : int, default=None
        Number of joblib workers that read crystals; None means 1 unless in a
        `joblib.parallel_config` context.

    See Also
    --------
    LeaveOneElementOut : The same for elements.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.evaluation import LeaveOneSpaceGroupOut
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> LeaveOneSpaceGroupOut(min_test=20).left_out(crystals)
    [122, 216, 225]
    """

    _label = "space group"

    def __init__(self, min_test=5, *, min_train=5, symprec=0.1, n_jobs=None):
        super().__init__(min_test, min_train=min_train, n_jobs=n_jobs)
        self.symprec = symprec

    def _labels_of_rows(self, items):
        check_options(["generators"], "orbits", self.symprec, None, "moyopy")
        rows = compute_rows(items, partial(each, self._space_group), n_jobs=self.n_jobs)
        return [{rows.results[place]} for place in rows.places]

    def _space_group(self, crystal):
        need_structure(crystal, type(self).__name__)
        return find_symmetry(crystal, symprec=self.symprec).number
