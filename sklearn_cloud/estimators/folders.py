"""A fitted pipeline, strings and all, as a folder of safetensors and JSON."""

import json
from pathlib import Path

MODEL_FILE = "crystal_model.json"
FORMAT_VERSION = 1
#: What the string of a crystal depends on.
STRING_PARAMETERS = ("parts", "sites", "symprec", "angle_tolerance", "backend")
ESTIMATORS = ("CloudRegressor", "CloudClassifier")


def save_model(model, directory, *, target="target", training=None):
    """Write a fitted pipeline into a folder, without any pickle.

    Parameters
    ----------
    model : Pipeline
        Of a `SymmetryStringTransformer` and a fitted `CloudRegressor` or `CloudClassifier`.
    directory : str or path-like
        Made if needed; an earlier model in it is replaced.
    target : str, default="target"
        Name of what is predicted. `sklearn-cloud predict` calls its column so.
    training : dict, default=None
        What is worth remembering of the training; anything that JSON can hold.

    Raises
    ------
    TypeError
        If the pipeline has other steps, or a parameter cannot be written as JSON.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    load_model : Reads the folder; the command `sklearn-cloud predict` does so too.
    CloudRegressor.save_pretrained : Writes the estimator alone, which predicts from strings.

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
    transformer, estimator = _open_pipeline(model)
    parameters = transformer.get_params()
    content = {
        "format_version": FORMAT_VERSION,
        "estimator": type(estimator).__name__,
        "target": target,
        "strings": {name: parameters[name] for name in STRING_PARAMETERS},
        "training": training or {},
    }
    estimator.save_pretrained(directory)
    path = Path(directory) / MODEL_FILE
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _open_pipeline(model):
    """The transformer and the estimator of a pipeline that can be saved."""
    from sklearn.pipeline import Pipeline

    from ..symmetry.transformer import SymmetryStringTransformer

    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    names = [type(step).__name__ for step in steps]
    known = len(steps) == 2 and isinstance(steps[0], SymmetryStringTransformer)
    if not known or names[1] not in ESTIMATORS:
        raise TypeError(
            f"a folder holds a pipeline of a SymmetryStringTransformer and a "
            f"{' or '.join(ESTIMATORS)}, got {', '.join(names)}; write an estimator alone with its "
            f"save_pretrained, and anything else with joblib or skops."
        )
    return steps


def load_model(directory):
    """Read a fitted pipeline that `save_model` or the command `sklearn-cloud fit` wrote.

    Parameters
    ----------
    directory : str or path-like

    Returns
    -------
    Pipeline
        Of a `SymmetryStringTransformer` and the fitted estimator: takes crystals.

    Raises
    ------
    ValueError
        If the folder holds no such model, or a damaged one.

    See Also
    --------
    save_model : Writes such a folder.

    Examples
    --------
    >>> from sklearn_cloud import load_model
    >>> model = load_model("gaps")  # doctest: +SKIP
    >>> model.predict(["NaCl.cif"])  # doctest: +SKIP
    """
    from sklearn.pipeline import make_pipeline

    import sklearn_cloud

    content = read_description(Path(directory))
    estimator = getattr(sklearn_cloud, content["estimator"]).from_pretrained(directory)
    transformer = sklearn_cloud.SymmetryStringTransformer(**content["strings"])
    return make_pipeline(transformer, estimator)


def read_description(directory):
    """The content of a model's JSON, checked."""
    path = directory / MODEL_FILE
    if not directory.is_dir():
        raise ValueError(f"there is no model folder {str(directory)!r}.")
    if not path.is_file():
        raise ValueError(
            f"{directory} has no {MODEL_FILE}, which says how the strings of its crystals are "
            f"made: name a folder that save_model or `sklearn-cloud fit` wrote."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, estimator = content["format_version"], content["estimator"]
        strings = {name: content["strings"][name] for name in STRING_PARAMETERS}
        known = estimator in ESTIMATORS and isinstance(content["target"], str)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged ({error!r}): fit the model again.") from error
    if version != FORMAT_VERSION or not known:
        raise ValueError(
            f"{path} was written by another version of sklearn-cloud ({version=}, {estimator=}): "
            f"update the one that is older, or fit the model again."
        )
    return {**content, "strings": {**strings, "parts": tuple(strings["parts"])}}
