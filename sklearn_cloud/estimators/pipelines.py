"""Access the last step of a pipeline, and the strings and numbers it reads."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .tables import check_table


def last_step(model, kinds):
    """Return the fitted estimator: the model itself, or the last step of a pipeline.

    Parameters
    ----------
    model : estimator or Pipeline
    kinds : tuple of type
        Allowed classes.

    Returns
    -------
    estimator

    Raises
    ------
    TypeError
        If it is of another class.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    estimator = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if not isinstance(estimator, kinds):
        name = type(estimator).__name__
        way_out = (
            'pass a network in its attribute members_, such as members_["CLOUD mini"][0], or use '
            "explain_crystal, which explains any model."
            if name in ("CrystalRegressor", "CrystalClassifier")
            else "of a meta-estimator, pass the fitted model in its attribute regressor_, "
            "best_estimator_ or estimators_."
        )
        raise TypeError(
            f"Expected a fitted {' or '.join(kind.__name__ for kind in kinds)}, or a pipeline "
            f"that ends in one, got {name}: {way_out}"
        )
    check_is_fitted(estimator)
    return estimator


def read_table(model, X):
    """Return the symmetry strings and numbers that the last step of a model reads.

    Parameters
    ----------
    model : estimator or Pipeline
        The fitted model.
    X : array-like of shape (n_samples,)
        Input of ``model``: strings, or crystals for a pipeline that transforms them.

    Returns
    -------
    StringTable
    """
    estimator = model
    if isinstance(model, Pipeline):
        estimator = model.steps[-1][1]
        X = model[:-1].transform(X) if len(model.steps) > 1 else X
    return estimator._align(check_table(X, type(estimator).__name__))


def read_row(model, crystal):
    """Return the symmetry string and numbers of one crystal; pipelines also accept a string."""
    estimator = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if isinstance(crystal, str) and _reads(estimator.tokenizer_, crystal):
        model = estimator
    table = read_table(model, [crystal])
    return str(table.strings[0]), table.numbers[0]


def _reads(tokenizer, text):
    try:
        tokenizer.encode(text)
    except ValueError:
        return False
    return True
