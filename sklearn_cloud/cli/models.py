"""A fitted model with the way its strings were made, as a folder of safetensors and JSON."""

import json
from pathlib import Path

MODEL_FILE = "crystal_model.json"
FORMAT_VERSION = 1
#: What the string of a crystal depends on.
STRING_PARAMETERS = ("parts", "sites", "symprec", "angle_tolerance", "backend")
ESTIMATORS = ("CloudRegressor", "CloudClassifier")


def save_model(directory, model, target, training):
    """Write a fitted pipeline.

    Parameters
    ----------
    directory : str or path-like
    model : Pipeline
        Of a `SymmetryStringTransformer` and a fitted `CloudRegressor` or `CloudClassifier`.
    target : str
        Name of what is predicted.
    training : dict
        What is worth remembering of the training; anything that JSON can hold.
    """
    transformer, estimator = (step for _, step in model.steps)
    parameters = transformer.get_params()
    content = {
        "format_version": FORMAT_VERSION,
        "estimator": type(estimator).__name__,
        "target": target,
        "strings": {name: parameters[name] for name in STRING_PARAMETERS},
        "training": training,
    }
    estimator.save_pretrained(directory)
    path = Path(directory) / MODEL_FILE
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load_model(directory):
    """Read what `save_model` wrote.

    Parameters
    ----------
    directory : str or path-like

    Returns
    -------
    model : Pipeline
        Of a `SymmetryStringTransformer` and the fitted estimator: takes crystals.
    content : dict
        The content of `crystal_model.json`.

    Raises
    ------
    ValueError
        If the folder holds no such model, or a damaged one.
    """
    from sklearn.pipeline import make_pipeline

    import sklearn_cloud

    content = read_description(Path(directory))
    estimator = getattr(sklearn_cloud, content["estimator"]).from_pretrained(directory)
    transformer = sklearn_cloud.SymmetryStringTransformer(**content["strings"])
    return make_pipeline(transformer, estimator), content


def read_description(directory):
    """The content of a model's JSON, checked."""
    path = directory / MODEL_FILE
    if not directory.is_dir():
        raise ValueError(f"there is no model folder {str(directory)!r}.")
    if not path.is_file():
        raise ValueError(
            f"{directory} has no {MODEL_FILE}, which says how the strings of its crystals are "
            f"made: name a folder that `sklearn-cloud fit` wrote."
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
