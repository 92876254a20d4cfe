"""EmbeddingDisplay: a map of crystals by their vectors."""

import numpy as np

from .display import COLORS, GUIDE, Display, with_unit

_SHOWN_CLASSES = len(COLORS) - 1  # with more, the rare ones share the last colour


class EmbeddingDisplay(Display):
    """Map of crystals in two dimensions: similar vectors are close, colours show a property.

    Use `from_estimator`, or `from_vectors` for existing vectors.

    Parameters
    ----------
    coordinates : array-like of shape (n_samples, 2)
        Coordinates on the map.
    y : array-like of shape (n_samples,), default=None
        The property: numbers for a colour scale, other values (text, bool) for classes.
    axis_names : (str, str), default=("", "")
        Labels of the axes.
    target_name : str, default="target"
        Name of the property in the legend.
    unit : str, default=None
        Unit of the property.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    scatters_ : dict of str to matplotlib.collections.PathCollection
        Points by class; under the key ``target_name`` if the property is a number or absent.
    colorbar_ : matplotlib.colorbar.Colorbar or None

    Notes
    -----
    Numbers use the colours of "viridis", cut at the 1st and 99th percentile. Of many classes the
    six most frequent have their own colours.

    Examples
    --------
    >>> from sklearn_cloud import CloudEmbedder
    >>> from sklearn_cloud.plotting import EmbeddingDisplay
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"]
    >>> embedder = CloudEmbedder().fit(strings)
    >>> display = EmbeddingDisplay.from_estimator(embedder, strings, [8.5, 3.6, 1.1], unit="eV")
    >>> display.coordinates.shape, display.colorbar_.ax.get_ylabel()
    ((3, 2), 'target (eV)')
    """

    _figsize = (5.6, 4.4)

    def __init__(
        self, coordinates, y=None, *, axis_names=("", ""), target_name="target", unit=None
    ):
        self.coordinates = np.asarray(coordinates, dtype=float)
        self.y = None if y is None else np.asarray(y)
        if self.coordinates.ndim != 2 or self.coordinates.shape[1] != 2:
            raise ValueError(
                f"coordinates must have the shape (n_samples, 2), got {self.coordinates.shape}"
            )
        if self.y is not None and self.y.shape != (len(self.coordinates),):
            raise ValueError(
                f"y of shape {self.y.shape} does not match {len(self.coordinates)} samples"
            )
        self.axis_names, self.target_name, self.unit = axis_names, target_name, unit

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        y=None,
        *,
        method="pca",
        random_state=0,
        target_name="target",
        unit=None,
        ax=None,
    ):
        """Compute the vectors of crystals and draw their map.

        Parameters
        ----------
        model : CloudEmbedder, CloudRegressor, CloudClassifier or Pipeline
            The fitted model, or a pipeline that ends in one. Of the estimators, the ``[CLS]``
            vectors of the fine-tuned encoder are drawn.
        X : array-like of shape (n_samples,)
            Input of ``model``: symmetry strings, or crystals for a pipeline.
        y, target_name, unit
            As for the class.
        method, random_state, ax
            As in `from_vectors`.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        TypeError
            If ``model`` has another type.
        ValueError
            As `from_vectors`.
        sklearn.exceptions.NotFittedError
            If ``model`` is not fitted.
        """
        from ..estimators.vectors import string_vectors

        cls._pyplot()
        return cls.from_vectors(
            string_vectors(model, X),
            y,
            method=method,
            random_state=random_state,
            target_name=target_name,
            unit=unit,
            ax=ax,
        )

    @classmethod
    def from_vectors(
        cls,
        vectors,
        y=None,
        *,
        method="pca",
        random_state=0,
        target_name="target",
        unit=None,
        ax=None,
    ):
        """Reduce vectors to two dimensions and draw them.

        Parameters
        ----------
        vectors : array-like of shape (n_samples, n_features)
            Vectors of crystals, at least two.
        y, target_name, unit
            As for the class.
        method : {"pca", "tsne"}, default="pca"
            Principal components, which keep large distances, or t-SNE, which keeps neighbours; the
            axes of t-SNE and its distances between groups have no meaning.
        random_state : int or RandomState, default=0
            Seed of t-SNE.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If ``method`` is invalid, or the arrays do not match.
        """
        cls._pyplot()
        if method not in _METHODS:
            raise ValueError(f"method must be 'pca' or 'tsne', got {method!r}")
        coordinates, axis_names = _METHODS[method](np.asarray(vectors), random_state)
        display = cls(coordinates, y, axis_names=axis_names, target_name=target_name, unit=unit)
        return display.plot(ax)

    def plot(self, ax=None, *, scatter_kwargs=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of ``ax.scatter``.

        Returns
        -------
        self
        """
        ax = self._open(ax)
        style = {"s": 18, "linewidths": 0, **(scatter_kwargs or {})}
        self.colorbar_ = None
        if self.y is None:
            self.scatters_ = {self.target_name: ax.scatter(*self.coordinates.T, **style)}
        elif self.y.dtype.kind in "iuf":
            self._plot_numbers(ax, style)
        else:
            self._plot_classes(ax, style)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1], xticks=[], yticks=[])
        return self

    def _plot_numbers(self, ax, style):
        low, high = np.nanpercentile(self.y, [1, 99])
        scatter = ax.scatter(
            *self.coordinates.T, c=self.y, **style | {"cmap": "viridis", "vmin": low, "vmax": high}
        )
        self.scatters_ = {self.target_name: scatter}
        cut = {(False, False): "neither", (True, False): "min", (False, True): "max"}
        extend = cut.get((self.y.min() < low, self.y.max() > high), "both")
        self.colorbar_ = self.figure_.colorbar(
            scatter, ax=ax, extend=extend, label=with_unit(self.target_name, self.unit)
        )

    def _plot_classes(self, ax, style):
        labels, counts = np.unique(self.y.astype(str), return_counts=True)
        frequent = labels[np.argsort(-counts, kind="stable")]
        shown = frequent if len(labels) <= len(COLORS) else frequent[:_SHOWN_CLASSES]
        self.scatters_ = {}
        for label, color in zip(shown, COLORS):
            members = self.y.astype(str) == label
            self.scatters_[str(label)] = ax.scatter(
                *self.coordinates[members].T, **{"color": color, "label": str(label)} | style
            )
        rest = ~np.isin(self.y.astype(str), shown)
        if rest.any():
            self.scatters_["other"] = ax.scatter(
                *self.coordinates[rest].T,
                **{"color": GUIDE, "label": "other", "zorder": 0.9} | style,
            )
        # Next to the map, as no corner is always empty.
        ax.legend(title=self.target_name, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _pca(vectors, random_state):
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="full")
    coordinates = pca.fit_transform(vectors)
    shares = pca.explained_variance_ratio_
    return coordinates, [
        f"principal component {i} ({100 * share:.0f} % of the variance)"
        for i, share in enumerate(shares, start=1)
    ]


def _tsne(vectors, random_state):
    from sklearn.manifold import TSNE

    # t-SNE needs more points than neighbours.
    perplexity = min(30.0, max(1.0, (len(vectors) - 1) / 3))
    tsne = TSNE(2, init="pca", perplexity=perplexity, random_state=random_state)
    return tsne.fit_transform(vectors), ["t-SNE 1", "t-SNE 2"]


_METHODS = {"pca": _pca, "tsne": _tsne}
