"""Several properties of crystals at once, as a table."""

import numpy as np

from .derived import DERIVED, bulk_of, derive
from .loading import list_predictors, load_predictor
from .predictor_input import read_rows_of
from .properties import unknown_property

LOW_APPLICABILITY = 0.05
COLUMNS = ("row", "property", "value", "lower", "upper", "unit", "applicability", "warning")


def predict_properties(X, properties, *, coverage=0.9, on_error="raise", n_jobs=None, verbose=0):
    """Predict several properties of crystals; the crystals are read and described once.

    Parameters
    ----------
    X : array-like of shape (n_samples,)
        Crystals as for `SymmetryStringTransformer`; formulas for the properties that need no
        structure.
    properties : str or sequence of str
        Names from `list_predictors`, and derived quantities: ``youngs_modulus``,
        ``poisson_ratio``, ``pugh_ratio``, ``longitudinal_sound_velocity``,
        ``transverse_sound_velocity``, ``debye_temperature``.
    coverage : float, default=0.9
        Share of crystals like those of the training whose interval contains the true value.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be predicted. `"raise"` lists all of them in one error;
        `"warn"` lists them in one `UserWarning`, and their values are NaN.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One line for each row of `X` and each property, with the columns ``row``, ``property``,
        ``value``, ``lower`` and ``upper`` (bounds of the interval), ``unit``, ``applicability``
        and ``warning`` (elements that no training crystal has, or an applicability below 0.05;
        else empty). For a class, the value is the probability that it is true, without bounds.

    Raises
    ------
    TypeError, CrystalError
        If rows cannot be predicted and `on_error` is "raise".
    ValueError
        If a property is unknown; the message has the nearest name.

    Notes
    -----
    Derived quantities have propagated intervals, see `sklearn_cloud.predictors.derived`.

    Examples
    --------
    >>> from sklearn_cloud.predictors import predict_properties
    >>> predict_properties(["MgO.cif"], ["bulk_modulus", "band_gap"])  # doctest: +SKIP
    """
    predictors = load_all(properties, on_error=on_error, n_jobs=n_jobs)
    rows = read_rows_of(X, n_jobs=n_jobs, verbose=verbose)
    return tabulate(rows, _as_list(properties), predictors, coverage)


def load_all(properties, *, on_error="raise", n_jobs=None):
    """Return {name: predictor} of all that the properties need.

    Raises
    ------
    ValueError
        If a property is unknown, given twice, or there are none.
    """
    names = _as_list(properties)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"properties must be one or more different names, got {names}.")
    available = list_predictors()
    known = [*available, *(name for name in DERIVED if set(_inputs(name)) <= set(available))]
    for name in names:
        if name not in known:
            raise ValueError(unknown_property(str(name), known))
    needed = dict.fromkeys(base for name in names for base in _inputs(name))
    options = {"on_error": on_error, "n_jobs": n_jobs}
    return {name: load_predictor(name, **options) for name in needed}


def tabulate(rows, names, predictors, coverage):
    """Return the table of `predict_properties` for rows that were read before.

    Parameters
    ----------
    rows : Rows
    names : list of str
    predictors : dict of str to Predictor
        From `load_all`.
    coverage : float

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")
    described, found = {}, {}
    for name, predictor in predictors.items():
        views = repr(predictor.ensemble.views_["features"])
        if views not in described:
            described[views] = predictor._describe(rows)
        one = described[views]
        found[name] = predictor.predict_described(one, coverage)
        found[name]["warning"] = _warnings(predictor, one, found[name]["applicability"])
        found[name]["unit"] = predictor.card["unit"]
        found[name]["bulk"] = one
    tables = [_lines(name, found if name in DERIVED else found[name]) for name in names]
    table = pd.concat(tables, ignore_index=True)
    order = table["row"].argsort(kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _lines(name, found):
    """Return the lines of one property, or of a derived one if `found` has its inputs."""
    import pandas as pd

    if name in DERIVED:
        found = _derived(name, found)
    columns = {key: found[key] for key in COLUMNS[2:]}
    return pd.DataFrame({"row": np.arange(len(found["value"])), "property": name, **columns})


def _derived(name, found):
    inputs = {one: found[one] for one in DERIVED[name].inputs}
    described = next(iter(inputs.values()))["bulk"]
    bulk = bulk_of(described.crystals)
    bulk = type(bulk)(*(described.spread(values) for values in bulk))
    warnings = [one["warning"] for one in inputs.values()]
    return {
        **derive(name, inputs, bulk),
        "unit": DERIVED[name].unit,
        "applicability": np.minimum(*(one["applicability"] for one in inputs.values())),
        "warning": [first or second for first, second in zip(*warnings, strict=True)],
    }


def _warnings(predictor, described, applicability):
    """Return a warning for each row, or an empty text."""
    unseen = predictor._unseen_elements(described)
    texts = np.where(applicability < LOW_APPLICABILITY, "unlike the training crystals", "").astype(
        object
    )
    for row, elements in unseen.items():
        texts[row] = f"elements not in the training crystals: {', '.join(elements)}"
    bad = np.setdiff1d(np.arange(described.n_rows), described.rows)
    texts[bad] = "cannot be predicted"
    return texts.tolist()


def _inputs(name):
    return DERIVED[name].inputs if name in DERIVED else (name,)


def _as_list(properties):
    return [properties] if isinstance(properties, str) else list(properties)
