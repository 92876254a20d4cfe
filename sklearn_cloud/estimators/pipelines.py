"""Open a pipeline: the estimator at its end, and the strings that it reads."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .strings import check_strings


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


def read_strings(model, X):
    """The symmetry strings that the last step of a model reads.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted.
    X : array-like of shape (n_samples,)
        What ``model`` predicts from: strings, or crystals for a pipeline that starts from them.

    Returns
    -------
    ndarray of shape (n_samples,), dtype object
    """
    name = type(model).__name__
    if isinstance(model, Pipeline):
        name = type(model.steps[-1][1]).__name__
        X = model[:-1].transform(X) if len(model.steps) > 1 else X
    return check_strings(X, name)


def read_string(model, crystal):
    """The symmetry string of one crystal; a pipeline takes the string itself too."""
    tokenizer = (model.steps[-1][1] if isinstance(model, Pipeline) else model).tokenizer_
    if isinstance(model, Pipeline) and isinstance(crystal, str) and _reads(tokenizer, crystal):
        return crystal
    return str(read_strings(model, [crystal])[0])


def _reads(tokenizer, text):
    try:
        tokenizer.encode(text)
    except ValueError:
        return False
    return True
