"""Vectors of crystals from a fitted estimator."""

import numpy as np
import torch

from ..training.data import PaddedBatches, sorted_dataset
from .classifier import CloudClassifier
from .embedder import CloudEmbedder
from .pipelines import last_step, read_table
from .regressor import CloudRegressor

_BATCH_SIZE = 64


def string_vectors(model, X):
    """Return vectors of a `CloudEmbedder`, or ``[CLS]`` vectors of a fine-tuned encoder.

    Parameters
    ----------
    model : CloudEmbedder, CloudRegressor, CloudClassifier or Pipeline
        The fitted model, or a pipeline that ends in one.
    X : array-like of shape (n_samples,)
        Input of ``model``.

    Returns
    -------
    ndarray of shape (n_samples, width), float32
    """
    estimator = last_step(model, (CloudEmbedder, CloudRegressor, CloudClassifier))
    table = read_table(model, X)
    if isinstance(estimator, CloudEmbedder):
        return estimator.transform(table.strings)
    module = estimator.net_.module_.eval()
    dataset, rows = sorted_dataset(estimator._read(table), estimator)
    with torch.inference_mode():
        batches = (batch.tensors for batch, _ in PaddedBatches(dataset, _BATCH_SIZE))
        vectors = [
            module.encode(tensors["input_ids"], module.describe(tensors.get("numbers")))
            for tensors in batches
        ]
        vectors = [one.cpu().numpy() for one in vectors]
    return np.concatenate(vectors)[rows]


def describe_numbers(estimator, numbers):
    """Return the vector that a fitted network makes of the numbers next to one string.

    Parameters
    ----------
    estimator : CloudRegressor or CloudClassifier
    numbers : array-like of shape (n_numbers,)
        As in the table; NaN if unknown.

    Returns
    -------
    tensor of shape (1, 128) or None
        None if the estimator was fitted on strings only.
    """
    scaled = estimator._collate([((), np.asarray(numbers))]).get("numbers")
    if scaled is None:
        return None
    with torch.no_grad():
        return estimator.net_.module_.eval().describe(scaled.to(estimator.device_))
