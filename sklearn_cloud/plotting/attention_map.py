"""AttentionDisplay: attention between the tokens of a crystal's string."""

import numpy as np

from .display import GUIDE, Display
from .token_colours import label_tokens, part_borders, part_legend

_INCHES = 0.17  # per token


class AttentionDisplay(Display):
    """Attention map of a crystal's string.

    Use `from_estimator`. The tokens of the rows attend to those of the columns; rows sum to 1.

    Parameters
    ----------
    attention : AttentionMap
        Result of `sklearn_cloud.explanations.attention_map`.

    Attributes
    ----------
    matrix_ : ndarray of shape (n_tokens, n_tokens)
        The weights shown.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    image_ : matplotlib.image.AxesImage
    colorbar_ : matplotlib.colorbar.Colorbar or None

    Notes
    -----
    In a rollout the diagonal is large, because of the residual connections. The colour scale ends
    at the largest off-diagonal weight, so that the other weights can be distinguished.

    Examples
    --------
    >>> from sklearn_cloud import CloudEmbedder
    >>> from sklearn_cloud.plotting import AttentionDisplay
    >>> string = "1a Na 1b Cl | Na 0.5 Cl 0.5"
    >>> embedder = CloudEmbedder().fit([string])
    >>> display = AttentionDisplay.from_estimator(embedder, string)  # all layers, rolled out
    >>> display.matrix_.shape
    (11, 11)

    All heads of all layers, without labels:

    >>> import matplotlib.pyplot as plt
    >>> figure, axes = plt.subplots(4, 4, figsize=(8, 8), layout="constrained")
    >>> for layer, row in enumerate(axes):
    ...     for head, ax in enumerate(row):
    ...         _ = display.plot(ax, layer=layer, head=head, labels=False, colorbar=False)
    """

    def __init__(self, attention):
        self.attention = attention

    @property
    def _figsize(self):
        side = max(3.5, _INCHES * len(self.attention.tokens) + 1.2)
        return side + 0.8, side

    @classmethod
    def from_estimator(
        cls, model, crystal, *, layer=None, head=None, labels=True, colorbar=True, ax=None
    ):
        """Compute the attention within a crystal's string and draw it.

        Parameters
        ----------
        model : CloudRegressor, CloudClassifier, CloudEmbedder or Pipeline
            The fitted model, or a pipeline that ends in one.
        crystal : str or crystal
            A symmetry string, or any input of a pipeline.
        layer, head, labels, colorbar, ax
            As for `plot`.

        Returns
        -------
        AttentionDisplay

        Raises
        ------
        TypeError, ValueError
            If ``model`` has another type or cannot read the crystal, or there is no such layer
            or head.
        sklearn.exceptions.NotFittedError
            If ``model`` is not fitted.
        """
        from ..explanations import attention_map

        cls._pyplot()
        display = cls(attention_map(model, crystal))
        return display.plot(ax, layer=layer, head=head, labels=labels, colorbar=colorbar)

    def plot(self, ax=None, *, layer=None, head=None, labels=True, colorbar=True):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure, large enough for the labels.
        layer : int, default=None
            A layer, from 0; None plots the rollout over all layers.
        head : int, default=None
            A head of the layer, from 0; None plots the mean of its heads.
        labels : bool, default=True
            Whether to write the tokens at the axes.
        colorbar : bool, default=True
            Whether to add a colorbar.

        Returns
        -------
        self
        """
        self.matrix_ = self.attention.select(layer, head)
        ax = self._open(ax)
        off_diagonal = self.matrix_[~np.eye(len(self.matrix_), dtype=bool)].max()
        self.image_ = ax.imshow(self.matrix_, cmap="Blues", vmin=0, vmax=off_diagonal)
        for border in part_borders(self.attention.parts):
            ax.axhline(border, color=GUIDE, linewidth=0.4)
            ax.axvline(border, color=GUIDE, linewidth=0.4)
        ax.set_title(_title(layer, head), fontsize="medium", pad=22 if labels else None)
        if labels:
            self._label(ax)
        else:
            ax.set(xticks=[], yticks=[])
        self.colorbar_ = self._colorbar() if colorbar else None
        return self

    def _label(self, ax):
        tokens, parts = self.attention.tokens, self.attention.parts
        label_tokens(ax.xaxis, tokens, parts)
        label_tokens(ax.yaxis, tokens, parts)
        ax.set(xlabel="attended to", ylabel="attending")
        part_legend(ax, parts)

    def _colorbar(self):
        beyond = self.matrix_.max() > self.image_.get_clim()[1]
        return self.figure_.colorbar(
            self.image_,
            ax=self.ax_,
            extend="max" if beyond else "neither",
            label="weight",
            shrink=0.6,
        )


def _title(layer, head):
    if layer is None:
        return "rollout over all layers"
    return f"layer {layer}, " + ("mean of the heads" if head is None else f"head {head}")
