"""Several properties of crystals at once, as a table."""

from collections.abc import Iterable

import numpy as np

from ..ensembles.coverage import check_coverage
from .derived import DERIVED, bulk_of, derive
from .loading import list_predictors, load_predictor
from .predictor_input import Problems, check_on_error, read_blocks
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
        Share of crystals like the training crystals whose interval contains the true value.
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
    import pandas as pd

    check_on_error(on_error)
    check_coverage(coverage)
    names = _as_list(properties)
    predictors = load_all(names, on_error=on_error, n_jobs=n_jobs)
    problems, tables = Problems(), []
    for rows in read_blocks(X, n_jobs=n_jobs, verbose=verbose):
        start = problems.n_rows
        described = describe_once(rows, predictors)
        problems.add(rows, errors_of(described))
        if on_error == "warn" or not problems.errors:
            table = _tabulate(described, names, predictors, coverage)
            tables.append(table.assign(row=table["row"] + start))
    problems.report(on_error)
    return pd.concat(tables, ignore_index=True)


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


def describe_once(rows, predictors):
    """Return {name: Described} of rows; predictors with the same views share one.

    Parameters
    ----------
    rows : Rows
    predictors : dict of str to Predictor
        From `load_all`.
    """
    views = {name: repr(p.ensemble.views_["features"]) for name, p in predictors.items()}
    described = {}
    for name, predictor in predictors.items():
        if views[name] not in described:
            described[views[name]] = predictor._describe(rows)
    return {name: described[view] for name, view in views.items()}


def errors_of(described):
    """Return the errors of rows that a predictor cannot use, the first one of each row."""
    errors = {}
    for one in described.values():
        errors = {**one.errors, **errors}
    return errors


def tabulate(rows, names, predictors, coverage):
    """Return the table of `predict_properties` for rows that were read before; warn of bad ones.

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
    described, problems = describe_once(rows, predictors), Problems()
    problems.add(rows, errors_of(described))
    problems.report("warn")
    return _tabulate(described, names, predictors, coverage)


def _tabulate(described, names, predictors, coverage):
    import pandas as pd

    found = {}
    for name, predictor in predictors.items():
        one = described[name]
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
    names = [properties] if isinstance(properties, str) else properties
    if not isinstance(names, Iterable):
        raise TypeError(f"properties must be names of properties, got {properties!r:.80}.")
    names = list(names)
    others = [name for name in names if not isinstance(name, str)]
    if others:
        raise TypeError(f"properties must be names of properties, got {others[0]!r:.80}.")
    return names
