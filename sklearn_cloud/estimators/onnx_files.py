"""Fitted networks as ONNX files, which run without PyTorch and without this package."""

import json
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ..files import write_file
from ..training.targets import ClassTargets
from .cloud import CloudEstimator
from .string_input import NUMBER_LIMIT

NEEDS_ONNX = "export_onnx requires onnx and onnxscript: pip install 'sklearn-cloud[onnx]'"


def export_onnx(model, path):
    """Write a fitted network as an ONNX file, which runs without this package.

    The graph takes token ids and returns what `predict` returns, in the unit of the targets, or
    the probabilities of the classes. Any number of rows and any length up to that of the encoder
    are accepted.

    Parameters
    ----------
    model : CloudRegressor, CloudClassifier or Pipeline
        A fitted estimator for symmetry strings, or a pipeline that ends in one. The steps before
        it are not part of the graph.
    path : str or path-like
        File to write; an earlier one is replaced.

    Raises
    ------
    TypeError
        If the model, or the last step of the pipeline, is another estimator.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ImportError
        If onnx or onnxscript are missing.

    See Also
    --------
    save_model : Save the whole model, for this package.

    Notes
    -----
    Inputs and output of the graph:

    ``input_ids``
        int64, shape (n_rows, n_tokens): ids of ``model.tokenizer_``, from [CLS] to [SEP], shorter
        rows padded at the end with ``pad_id``.
    ``numbers``
        float64, shape (n_rows, n_numbers), only if the model was fitted with numbers next to the
        strings: the numbers as they are, in the order of ``number_names_``, NaN if unknown.
    ``prediction`` or ``probabilities``
        float64, shape (n_rows,) or (n_rows, n_outputs); probabilities of shape
        (n_rows, n_classes).

    The metadata of the file has the "vocabulary" (JSON, the position of a token is its id),
    "pad_id", "max_tokens", "numbers" (their names, JSON) and the "classes" (JSON).

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor, export_onnx
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    >>> model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, [8.5, 3.6, 1.1] * 4)
    >>> export_onnx(model, "gaps.onnx")  # doctest: +SKIP
    """
    estimator = model[-1] if isinstance(model, Pipeline) else model
    if not isinstance(estimator, CloudEstimator):
        raise TypeError(
            "export_onnx takes a CloudRegressor or CloudClassifier, or a pipeline that ends in "
            f"one, got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDS_ONNX) from error
    with warnings.catch_warnings():
        # PyTorch's remarks on its own code, and on two inputs that have the same rows
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", "# The axis name", UserWarning)
        program = torch.onnx.export(**_export_arguments(estimator), dynamo=True, verbose=False)
    program.model.metadata_props.update(_metadata(estimator))
    write_file(Path(path), program.model_proto.SerializeToString())


def _export_arguments(estimator):
    """Return the module, example inputs, and names and sizes of inputs and outputs."""
    rows = torch.export.Dim("rows")
    tokens = torch.export.Dim("tokens", min=2, max=estimator.encoder_config_.max_positions)
    inputs = {"input_ids": torch.ones(2, 8, dtype=torch.int64)}
    shapes = {"input_ids": {0: rows, 1: tokens}}
    if n_numbers := len(estimator.number_means_):
        inputs["numbers"] = torch.zeros(2, n_numbers, dtype=torch.float64)
        shapes["numbers"] = {0: rows}
    classes = isinstance(estimator.targets_, ClassTargets)
    return {
        "model": _WholeNetwork(estimator).eval(),
        "args": tuple(inputs.values()),
        "input_names": list(inputs),
        "output_names": ["probabilities" if classes else "prediction"],
        "dynamic_shapes": shapes,
    }


def _metadata(estimator):
    """Return what is needed to use the graph, as strings."""
    content = {
        "vocabulary": list(estimator.tokenizer_.vocabulary),
        "pad_id": int(estimator.encoder_config_.pad_id),
        "max_tokens": int(estimator.encoder_config_.max_positions),
        "numbers": list(getattr(estimator, "number_names_", ())),
    }
    if isinstance(estimator.targets_, ClassTargets):
        content["classes"] = estimator.classes_.tolist()
    return {name: json.dumps(value) for name, value in content.items()}


class _WholeNetwork(nn.Module):
    """The network with what comes before and after it: scales of the numbers and the targets.

    Parameters
    ----------
    estimator : CloudEstimator
        Fitted.
    """

    def __init__(self, estimator):
        super().__init__()
        self.network = deepcopy(estimator.net_.module_).cpu()
        self.keep("number_means", estimator.number_means_)
        self.keep("number_scales", estimator.number_scales_)
        targets = estimator.targets_
        self.classes = isinstance(targets, ClassTargets)
        if not self.classes:
            self.flat = targets.one_dimensional
            self.keep("target_mean", targets.mean)
            self.keep("target_scale", np.where(targets.constant, 0.0, targets.scale))

    def keep(self, name, array):
        self.register_buffer(name, torch.tensor(np.asarray(array, dtype=np.float64)))

    def forward(self, input_ids, numbers=None):
        """Return predictions or probabilities, float64."""
        network = self.network
        described = None if numbers is None else network.describe(self.standardise(numbers))
        vectors = network.encode(input_ids, described)
        outputs = network.predict(vectors, described).double()
        if self.classes:
            return outputs.softmax(dim=1)
        predictions = outputs * self.target_scale + self.target_mean
        return predictions[:, 0] if self.flat else predictions

    def standardise(self, numbers):
        # Runtimes differ in what they make of the NaN of an unknown number when they clip it.
        unknown = numbers.isnan()
        scaled = (numbers.masked_fill(unknown, 0.0) - self.number_means) / self.number_scales
        scaled = scaled.clamp(-NUMBER_LIMIT, NUMBER_LIMIT).float()
        return scaled.masked_fill(unknown, float("nan"))
