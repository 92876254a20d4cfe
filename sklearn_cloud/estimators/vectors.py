"""Vectors of crystals from a fitted estimator."""

import numpy as np
import torch

from ..encoder.model import cls_vectors
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
    pad_id = estimator.encoder_config_.pad_id
    dataset, rows = sorted_dataset(estimator._read(table), estimator)
    with torch.inference_mode():
        vectors = [
            cls_vectors(module.encoder, ids, ids != pad_id).cpu().numpy()
            for ids in (
                batch.tensors["input_ids"] for batch, _ in PaddedBatches(dataset, _BATCH_SIZE)
            )
        ]
    return np.concatenate(vectors)[rows]
