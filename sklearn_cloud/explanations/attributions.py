"""explain_prediction: contributions of the tokens of a string to a prediction."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.base import is_classifier

from ..encoder.model import embed_tokens
from ..estimators import CloudClassifier, CloudRegressor
from ..estimators.pipelines import last_step, read_row
from ..estimators.vectors import describe_numbers
from ..training.data import InputDataset
from .tokens import SPECIAL, name_groups, name_tokens

_BATCH = 64  # points of the integrated gradients computed at a time


class Explanation(NamedTuple):
    """A prediction, and the contributions of the tokens of the string.

    Attributes
    ----------
    string : str
        The symmetry string.
    tokens : tuple of str
        Its tokens, from ``[CLS]`` to ``[SEP]``.
    parts : tuple of str
        Part of the string of each token: "generator", "sites", "composition" or "special".
    attributions : ndarray of shape (n_tokens,)
        In the unit of the prediction; 0 for the special tokens.
    prediction : float
        Predicted value, or probability of ``target``.
    baseline : float
        The same for a string with every token masked.
    target : object
        The explained class or column of the targets.
    is_probability : bool
        Whether the prediction is the probability of a class.

    Examples
    --------
    >>> from sklearn_cloud.explanations import Explanation
    >>> tokens, parts = ("Si", "1.0"), ("composition", "composition")
    >>> Explanation("Si 1.0", tokens, parts, [0.3, -0.2], 1.2, 1.1).to_frame()
      token         part  attribution
    0    Si  composition          0.3
    1   1.0  composition         -0.2
    """

    string: str
    tokens: tuple
    parts: tuple
    attributions: np.ndarray
    prediction: float
    baseline: float
    target: object = 0
    is_probability: bool = False

    def __repr__(self):
        what = f"probability of {self.target} " if self.is_probability else ""
        table = self.contributions()
        width = max(len(f"{row.kind} {row.name}") for row in table.itertuples())
        return "\n".join(
            [
                f"Explanation of {what}{self.prediction:.4g} for {self.string!r}",
                f"  {'baseline (all masked)':{width}}  {self.baseline:.4g}",
                *(
                    f"  {f'{row.kind} {row.name}':{width}}  {row.attribution:+.3g}"
                    for row in table.itertuples()
                ),
            ]
        )

    def contributions(self):
        """Return the attributions of the space group, each orbit and each element.

        Returns
        -------
        pandas.DataFrame
            Columns kind ("symmetry", "site" or "element"), name (such as ``3c O``) and
            attribution, the sum over the tokens.
        """
        import pandas as pd

        groups = name_groups(self.tokens, self.parts)
        kept = [i for i, group in enumerate(groups) if group is not None]
        table = pd.DataFrame([groups[i] for i in kept], columns=["kind", "name"])
        table["attribution"] = np.asarray(self.attributions, dtype=float)[kept]
        return table.groupby(["kind", "name"], sort=False, as_index=False).sum()

    def to_frame(self):
        """Return a table with one row per token.

        Returns
        -------
        pandas.DataFrame
            Columns token, part, attribution.
        """
        import pandas as pd

        return pd.DataFrame(
            {"token": self.tokens, "part": self.parts, "attribution": self.attributions}
        )


def explain_prediction(model, crystal, *, method="integrated_gradients", target=None, n_steps=32):
    """Explain a prediction by the tokens of the crystal's string.

    Parameters
    ----------
    model : CloudRegressor, CloudClassifier or Pipeline
        The fitted model, or a pipeline that ends in one.
    crystal : str or crystal
        A symmetry string, or any input of a pipeline.
    method : {"integrated_gradients", "occlusion"}, default="integrated_gradients"
        "integrated_gradients" distributes the difference between the prediction and that of the
        masked string over the tokens: the attributions sum to it. "occlusion" masks one token at a
        time: an attribution is the decrease of the prediction, independent of the others.
    target : label or int, default=None
        The class whose probability is explained (None means the predicted one), or the column of
        several targets of a regressor (None means the first).
    n_steps : int, default=32
        Number of points on the path from the masked string at which the gradient is evaluated;
        with more points, the sum of the attributions is closer to ``prediction - baseline``.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError, ValueError
        If ``model`` or ``method`` is not supported, there is no such ``target``, or ``model``
        cannot read the crystal.
    sklearn.exceptions.NotFittedError
        If ``model`` is not fitted.

    Notes
    -----
    In the masked string, every token except ``[CLS]``, ``[SEP]`` and the separators is ``[MASK]``,
    which the encoder knows as "unknown" from pre-training. Without pre-training, explanations are
    relative to an arbitrary point.

    Integrated gradients [1]_ follow the straight line between the token embeddings of the masked
    and the true string, with Gauss-Legendre quadrature.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks",
       ICML 2017.

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor
    >>> from sklearn_cloud.explanations import explain_prediction
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    >>> model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, [8.5, 3.6, 1.1] * 4)
    >>> explanation = explain_prediction(model, "8a | Si 1.0")
    >>> explanation.tokens
    ('[CLS]', '8a', '|', 'Si', '1.0', '[SEP]')
    >>> difference = explanation.prediction - explanation.baseline
    >>> bool(abs(explanation.attributions.sum() - difference) < 1e-3)
    True
    """
    estimator = last_step(model, (CloudRegressor, CloudClassifier))
    check_method(method, n_steps)
    return explain_row(estimator, read_row(model, crystal), method, target, n_steps)


def check_method(method, n_steps):
    """Raise ValueError unless the method is known and `n_steps` a positive integer."""
    if method not in ("integrated_gradients", "occlusion"):
        raise ValueError(f"method must be 'integrated_gradients' or 'occlusion', got {method!r}")
    if isinstance(n_steps, bool) or not isinstance(n_steps, int) or n_steps < 1:
        raise ValueError(f"n_steps must be a positive integer, got {n_steps!r}")


def explain_row(estimator, row, method, target, n_steps):
    """As `explain_prediction`, for a fitted estimator, a string and its numbers."""
    string, numbers = row
    (ids,) = estimator._tokenize([string])
    tokens, parts = name_tokens(estimator.tokenizer_, ids)
    counted = [i for i, part in enumerate(parts) if part != SPECIAL]
    masked = _mask(ids, counted, estimator)
    occluded = [_mask(ids, [i], estimator) for i in counted] if method == "occlusion" else []
    predictions = _predict(estimator, [ids, masked, *occluded], numbers)
    column = _column(estimator, target, predictions[0])
    prediction, baseline, *without = predictions[:, column].tolist()
    attributions = np.zeros(len(ids))
    if method == "occlusion":
        attributions[counted] = prediction - np.array(without)
    else:
        attributions[:] = _integrated_gradients(estimator, ids, masked, numbers, column, n_steps)
    explained = (estimator.classes_[column], True) if is_classifier(estimator) else (column, False)
    return Explanation(string, tokens, parts, attributions, prediction, baseline, *explained)


def _mask(ids, places, estimator):
    masked = list(ids)
    for place in places:
        masked[place] = estimator.tokenizer_.mask_id
    return masked


def _predict(estimator, many_ids, numbers):
    """Predict from token ids with the same numbers, shape (n_strings, n_outputs)."""
    dataset = InputDataset([(ids, np.asarray(numbers)) for ids in many_ids], estimator)
    outputs = torch.cat(list(estimator.net_.forward_iter(dataset)))
    return _in_units(estimator, outputs).numpy()


def _in_units(estimator, outputs):
    """Convert outputs of the net to class probabilities, or to the units of the targets."""
    outputs = outputs.double()
    if is_classifier(estimator):
        return outputs.softmax(dim=1)
    mean, scale = (
        torch.as_tensor(values, dtype=torch.float64, device=outputs.device)
        for values in (estimator.target_mean_, estimator.target_scale_)
    )
    return outputs * scale + mean


def _column(estimator, target, predicted):
    """Return the column of the outputs to explain."""
    if not is_classifier(estimator):
        column = 0 if target is None else target
        if column not in range(estimator.n_outputs_):
            raise ValueError(f"target={target!r} is not one of {estimator.n_outputs_} columns")
        return column
    if target is None:
        return int(predicted.argmax())
    (columns,) = np.nonzero(estimator.classes_ == target)
    if not len(columns):
        raise ValueError(f"target={target!r} is not one of the classes {estimator.classes_}")
    return int(columns[0])


def _integrated_gradients(estimator, ids, masked, numbers, column, n_steps):
    module = estimator.net_.module_.eval()
    embed = module.encoder.embeddings.word_embeddings
    with torch.no_grad():
        end, start = (embed(torch.tensor([i], device=estimator.device_)) for i in (ids, masked))
    nodes, weights = (
        torch.tensor(values, dtype=end.dtype, device=end.device)[:, None, None]
        for values in np.polynomial.legendre.leggauss(n_steps)
    )
    gradient = torch.zeros_like(end[0])
    described = describe_numbers(estimator, numbers)
    # The quadrature is for the interval from -1 to 1, the path goes from 0 to 1.
    for node, weight in zip(((nodes + 1) / 2).split(_BATCH), (weights / 2).split(_BATCH)):
        points = (start + node * (end - start)).requires_grad_()
        values = _in_units(estimator, _outputs(module, points, described))[:, column]
        (gradients,) = torch.autograd.grad(values.sum(), points)
        gradient += (weight * gradients).sum(dim=0)
    return ((end - start)[0] * gradient).sum(dim=1).double().cpu().numpy()


def _outputs(module, points, described):
    """Return the outputs for word embeddings of a crystal; its numbers are the same for all."""
    if described is not None:
        described = described.expand(len(points), -1)
    mask = torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)
    hidden, mask = embed_tokens(
        module.encoder, mask, inputs_embeds=points, token=module.token(described)
    )
    for layer in module.encoder.encoder.layer:
        hidden = layer(hidden, mask)
    return module.predict(hidden[:, 0], described)
