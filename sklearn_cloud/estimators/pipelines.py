"""Open a pipeline: the estimator at its end, and the strings and numbers that it reads."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .tables import check_table


def last_step(model, kinds):
    """The fitted estimator that a model is, or that a pipeline ends in.

    Parameters
    ----------
    model : estimator or Pipeline
    kinds : tuple of type
        Classes that it may have.

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
        raise TypeError(
            f"Expected a fitted {' or '.join(kind.__name__ for kind in kinds)}, or a pipeline "
            f"that ends in one, got {type(estimator).__name__}. A model inside another one is "
            "among its attributes: regressor_, best_estimator_ or estimators_."
        )
    check_is_fitted(estimator)
    return estimator


def read_table(model, X):
    """The symmetry strings, and the numbers next to them, that the last step of a model reads.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted.
    X : array-like of shape (n_samples,)
        What ``model`` predicts from: strings, or crystals for a pipeline that starts from them.

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
    """The symmetry string and the numbers of one crystal; a pipeline takes a string too."""
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
