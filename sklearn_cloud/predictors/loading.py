"""List and load the predictors in the package."""

import os
from pathlib import Path

from ..exceptions import folder_errors
from .card import PredictorCard
from .predictor_folder import CARD_FILE, read_card, read_other, read_predictor
from .properties import PROPERTIES, unknown_property

DATA = Path(__file__).parent / "data"


def list_predictors():
    """Return the names of the properties with a ready-made predictor.

    Returns
    -------
    list of str

    See Also
    --------
    load_predictor : Load one of them.

    Examples
    --------
    >>> from sklearn_cloud.predictors import list_predictors
    >>> "bulk_modulus" in list_predictors()  # doctest: +SKIP
    True
    """
    return [name for name in PROPERTIES if (DATA / name / CARD_FILE).is_file()]


def load_predictor(name, *, on_error="raise", n_jobs=None, verbose=0):
    """Load a ready-made predictor of a property; it needs no training data and no network.

    Parameters
    ----------
    name : str or path-like
        Name of the property, see `list_predictors`; or, as a `pathlib.Path`, a folder that
        `benchmarks/train_predictors.py` wrote.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be predicted. `"raise"` lists all of them in one error;
        `"warn"` lists them in one `UserWarning`, and their predictions are NaN.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    PredictorRegressor or PredictorClassifier
        Fitted and frozen.

    Raises
    ------
    ValueError
        If there is no predictor of that name; the message has the nearest one.
    ModelFolderError
        If its files are missing or damaged, or it cannot predict rock salt.

    See Also
    --------
    predict_properties : Predict several properties at once.

    Examples
    --------
    >>> from sklearn_cloud.predictors import load_predictor
    >>> predictor = load_predictor("bulk_modulus")  # doctest: +SKIP
    >>> predictor.predict(["MgO.cif"])  # doctest: +SKIP
    """
    from ..ensembles.applicability import load_embedder
    from .predictor import PredictorClassifier, PredictorRegressor
    from .predictor_checks import check_prediction

    load_embedder()  # not when the first crystal is predicted
    folder = find_folder(name)
    ensemble, content = read_predictor(folder)
    card = PredictorCard(content)
    if content["kind"] == "classification":
        predictor = PredictorClassifier(ensemble, card)
    else:
        predictor = PredictorRegressor(ensemble, card, zero_if=read_other(folder, content))
    with folder_errors(folder):
        check_prediction(predictor, folder)
    return predictor.set_params(on_error=on_error, n_jobs=n_jobs, verbose=verbose)


def load_card(name):
    """Return the card of a predictor, without loading its model.

    Parameters
    ----------
    name : str
        As for `load_predictor`.

    Returns
    -------
    PredictorCard

    Raises
    ------
    ValueError
        As `load_predictor`.

    Examples
    --------
    >>> from sklearn_cloud.predictors import load_card
    >>> print(load_card("bulk_modulus"))  # doctest: +SKIP
    """
    return PredictorCard(read_card(find_folder(name)))


def find_folder(name):
    """Return the folder of a predictor.

    Raises
    ------
    TypeError, ValueError
        If `name` is neither a known property nor a path.
    """
    if isinstance(name, os.PathLike):
        return Path(name)
    if not isinstance(name, str):
        raise TypeError(f"the name of a property is a string, got {type(name).__name__}.")
    known = list_predictors()
    if os.path.basename(name) != name:
        raise ValueError(f"{name!r} is not a property: pass pathlib.Path({name!r}) for a folder.")
    if name not in known:
        raise ValueError(unknown_property(name, known))
    return DATA / name
