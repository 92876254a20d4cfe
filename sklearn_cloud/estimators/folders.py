"""Save and load fitted models as folders of safetensors, JSON and skops files."""

from pathlib import Path

from ..exceptions import ModelFolderError, folder_errors
from .folder_files import (
    FORMAT_VERSION,
    MODEL_FILE,
    OLD_MARKER,
    read_content,
    read_files,
    write_folder,
)


def save_model(model, directory, *, target="target", training=None):
    """Save a fitted model in a folder, without pickle.

    Parameters
    ----------
    model : estimator
        The fitted model: an estimator or transformer of this package, or a pipeline, feature
        union, column transformer, transformed target, voting, stacking or bagging of these and
        estimators of scikit-learn.
    directory : str or path-like
        Created if needed. An earlier model in it is replaced in one step, once the new one is
        complete.
    target : str, default="target"
        Name of the predicted property, and of the column of `sklearn-cloud predict`.
    training : dict, default=None
        Notes on the training; anything that JSON can express.

    Raises
    ------
    TypeError
        If a step or a parameter cannot be saved without pickle, such as a callback or your own
        function. Nothing is left out silently.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    load_model : Load the model; the command `sklearn-cloud predict` does so too.

    Notes
    -----
    ``crystal_model.json`` describes the model: its steps, their parameters, versions, and the
    other files with their checksums. Weights and large arrays are in a safetensors file.
    Estimators of scikit-learn, such as a forest, are in skops files; only types that skops trusts
    by default, and trees, which are checked, are written and read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud import CloudRegressor, SymmetryStringTransformer, load_model, save_model
    >>> model = make_pipeline(
    ...     SymmetryStringTransformer(sites="set"), CloudRegressor(max_epochs=1, random_state=0)
    ... )
    >>> formulas = ["NaCl", "KCl", "KBr", "MgO", "CaO"]
    >>> predicted = model.fit(formulas, [8.5, 8.4, 7.4, 7.8, 7.1]).predict(["LiF"])
    >>> with TemporaryDirectory() as folder:
    ...     save_model(model, folder, target="band gap")
    ...     bool(load_model(folder).predict(["LiF"]) == predicted)
    True
    """
    import json

    from sklearn.utils.validation import check_is_fitted

    from ..training.state import versions
    from .encoding import Encoder

    check_is_fitted(model)
    training = json.loads(json.dumps(training or {}, allow_nan=False))
    encoder = Encoder()
    node = encoder.encode(model, "model")
    content = {"target": target, "training": training, "versions": versions(), "model": node}
    write_folder(Path(directory), content, encoder.arrays, encoder.blobs)


def load_model(directory):
    """Load a fitted model saved by `save_model` or the command `sklearn-cloud fit`.

    Parameters
    ----------
    directory : str or path-like

    Returns
    -------
    estimator
        The fitted model, on the device given by its ``device`` parameter. Its predictions are the
        same as before saving.

    Raises
    ------
    ModelFolderError
        If the folder contains no such model, or a damaged one. A subclass of ValueError.

    See Also
    --------
    save_model : Save a model in a folder.

    Notes
    -----
    No code from the folder is run, and nothing is unpickled. Sizes in the description are checked
    against the weights before a network is built.

    Examples
    --------
    >>> from sklearn_cloud import load_model
    >>> model = load_model("gaps")  # doctest: +SKIP
    >>> model.predict(["NaCl.cif"])  # doctest: +SKIP
    """
    from . import format_1

    directory = Path(directory)
    if (directory / OLD_MARKER).exists() and not (directory / MODEL_FILE).exists():
        with folder_errors(directory):
            return format_1.read_estimator(directory)
    content = read_content(directory)
    with folder_errors(directory):
        if content["format_version"] == FORMAT_VERSION:
            return _read_model(directory, content)
        return format_1.read_pipeline(directory, content)


def _read_model(directory, content):
    from .decoding import Decoder

    arrays, blobs = read_files(directory, content["files"])
    model = Decoder(arrays, blobs).decode(content["model"])
    if not hasattr(model, "get_params"):
        name = type(model).__name__
        raise ModelFolderError(f"{directory / MODEL_FILE} describes a {name}, not a model.")
    return model


def read_description(directory):
    """Read the description of a model folder.

    Parameters
    ----------
    directory : pathlib.Path

    Returns
    -------
    dict
        With the "target" and "training" passed to `save_model`.

    Raises
    ------
    ModelFolderError
        As `load_model`.
    """
    content = read_content(directory)
    if not isinstance(content.get("target"), str):
        raise ModelFolderError(f"{directory / MODEL_FILE} is damaged: it does not name the target.")
    return content
