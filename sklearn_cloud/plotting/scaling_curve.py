"""ScalingCurveDisplay: loss against the size of the data or of the model."""

import numpy as np

from .display import Display, with_unit

_AXES = {"data": (1, "data size D"), "model": (0, "model size N")}
_N_POINTS = 200  # of each curve


class ScalingCurveDisplay(Display):
    """Measured losses and a fitted scaling law, against data size or model size.

    Use `from_estimator`. Figure 4 of the paper shows the first in panels a and c and the second in
    b and d. There is one curve in another colour for each value of the other size.

    Parameters
    ----------
    X : array-like of shape (n_samples, 2)
        Model size N and data size D of the measured losses.
    loss : array-like of shape (n_samples,)
        Measured losses.
    curves : list of (float, ndarray of shape (n_points, 2), ndarray of shape (n_points,))
        The other size, N and D along the curve, and the loss by the law.
    against : {"data", "model"}, default="data"
        Size on the axis.
    name : str, default=None
        Name of the losses in the legend.
    loss_name : str, default="loss"
        Name of the loss at the axis.
    unit : str, default=None
        Unit of the loss.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    scatter_ : matplotlib.collections.PathCollection
        The measured losses.
    lines_ : list of matplotlib.lines.Line2D
        The curves, from the smallest of the other sizes to the largest.
    colorbar_ : matplotlib.colorbar.Colorbar or None
        None if there is only one curve.

    See Also
    --------
    IsoLossDisplay : Contours of the loss over compute budget and model size.

    Examples
    --------
    >>> from sklearn_cloud.plotting import ScalingCurveDisplay
    >>> from sklearn_cloud.scaling import ScalingLaw
    >>> law = ScalingLaw.from_coefficients(A=90.7, B=22.0, E=0.23, alpha=0.434, beta=0.352)
    >>> X = [[1e6, 1e7], [1e6, 1e8], [1e7, 1e7], [1e7, 1e8]]
    >>> display = ScalingCurveDisplay.from_estimator(law, X, law.predict(X))
    >>> display.ax_.get_xlabel(), len(display.lines_)
    ('data size D', 2)
    """

    def __init__(self, X, loss, curves, *, against="data", name=None, loss_name="loss", unit=None):
        self.X, self.loss = np.asarray(X, dtype=float), np.asarray(loss, dtype=float)
        self.curves, self.against = curves, against
        self.name, self.loss_name, self.unit = name, loss_name, unit

    @classmethod
    def from_estimator(
        cls, law, X, loss, *, against="data", name=None, loss_name="loss", unit=None, ax=None
    ):
        """Draw measured losses and the law.

        Parameters
        ----------
        law : ScalingLaw
            Fitted.
        X : array-like of shape (n_samples, 2)
            N and D, as in ``law.fit``; a subset of its rows, or others.
        loss : array-like of shape (n_samples,)
            Measured losses.
        against : {"data", "model"}, default="data"
            Size on the axis.
        name, loss_name, unit
            As for the class.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        ScalingCurveDisplay

        Raises
        ------
        ValueError
            If ``against`` is invalid, or X and loss have different lengths.
        sklearn.exceptions.NotFittedError
            If ``law`` is not fitted.
        """
        from ..scaling.sizes import by_name

        cls._pyplot()
        if against not in _AXES:
            raise ValueError(f"against must be 'data' or 'model', got {against!r}")
        X, loss = np.asarray(by_name(X), dtype=float), np.asarray(loss, dtype=float)
        if len(X) != len(loss):
            raise ValueError(f"X has {len(X)} rows, but there are {len(loss)} losses")
        law.predict(X)  # checks law and sizes
        curves = _curves(law, X, _AXES[against][0])
        names = {"name": name, "loss_name": loss_name, "unit": unit}
        return cls(X, loss, curves, against=against, **names).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        self
        """
        from matplotlib import colormaps
        from matplotlib.colors import LogNorm

        ax = self._open(ax)
        column, label = _AXES[self.against]
        others = self.X[:, 1 - column]
        several = len(self.curves) > 1
        color = None if several else ax._get_lines.get_next_color()
        norm = LogNorm(others.min(), others.max()) if several else None
        cmap = colormaps["viridis"]
        self.lines_ = []
        for other, sizes, loss in self.curves:
            style = cmap(norm(other)) if several else color
            self.lines_ += ax.plot(sizes[:, column], loss, color=style, linewidth=1.2)
        style = {"c": others, "cmap": cmap, "norm": norm} if several else {"color": color}
        self.scatter_ = ax.scatter(
            self.X[:, column], self.loss, s=18, zorder=3, label=self.name, **style
        )
        self.colorbar_ = None
        if several:
            other_label = _AXES["model" if self.against == "data" else "data"][1]
            self.colorbar_ = self.figure_.colorbar(self.scatter_, ax=ax, label=other_label)
        ax.set(xscale="log", yscale="log", xlabel=label)
        ax.set_ylabel(with_unit(self.loss_name, self.unit))
        if self.name:
            ax.legend(frameon=False)
        return self


def _curves(law, X, column):
    """Return the law along one size, for every value of the other."""
    low, high = X[:, column].min(), X[:, column].max()
    curves = []
    for other in np.unique(X[:, 1 - column]):
        sizes = np.full((_N_POINTS, 2), other)
        sizes[:, column] = np.geomspace(low, high, _N_POINTS)
        curves.append((float(other), sizes, law.predict(sizes)))
    return curves
