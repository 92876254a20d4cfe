"""IsoLossDisplay: contours of a scaling law, and the best model for every compute budget."""

import numpy as np

from .display import COLORS, Display

_N_POINTS = 200  # along each axis
_ROOM = 30  # the model sizes extend beyond the best ones by this factor
_FRONTIER = COLORS[1]  # red, as in the paper


class IsoLossDisplay(Display):
    """Contours of equal loss over compute budget and model size, with the efficient frontier.

    Use `from_estimator`. This is Figure 6 of the paper: the frontier goes through each contour
    at its smallest compute budget.

    Parameters
    ----------
    compute : ndarray of shape (n_budgets,)
        Compute budgets C = 6 N D, in floating point operations.
    model_sizes : ndarray of shape (n_sizes,)
        Model sizes N.
    loss : ndarray of shape (n_sizes, n_budgets)
        Loss by the law.
    best_sizes : ndarray of shape (n_budgets,)
        Best model size for each budget.
    levels : ndarray of shape (n_levels,)
        Losses of the contours, ascending.
    X : array-like of shape (n_samples, 2), default=None
        N and D of trainings to show as points.
    loss_name : str, default="loss"
        Name of the loss in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    contours_ : matplotlib.contour.QuadContourSet
    frontier_line_ : matplotlib.lines.Line2D
    scatter_ : matplotlib.collections.PathCollection or None
        The trainings.

    See Also
    --------
    ScalingCurveDisplay : Loss against data size or model size.
    sklearn_cloud.scaling.ScalingLaw.optimal_allocation : The frontier in numbers.

    Examples
    --------
    >>> from sklearn_cloud.plotting import IsoLossDisplay
    >>> from sklearn_cloud.scaling import ScalingLaw
    >>> law = ScalingLaw.from_coefficients(A=90.7, B=22.0, E=0.23, alpha=0.434, beta=0.352)
    >>> display = IsoLossDisplay.from_estimator(law, compute_range=(1e14, 1e20))
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('compute budget (FLOPs)', 'model size N')
    """

    def __init__(self, compute, model_sizes, loss, best_sizes, levels, *, X=None, loss_name="loss"):
        self.compute, self.model_sizes, self.loss = compute, model_sizes, loss
        self.best_sizes, self.levels = best_sizes, levels
        self.X = None if X is None else np.asarray(X, dtype=float)
        self.loss_name = loss_name

    @classmethod
    def from_estimator(
        cls, law, X=None, *, compute_range=None, n_levels=8, loss_name="loss", ax=None
    ):
        """Draw a law.

        Parameters
        ----------
        law : ScalingLaw
            Fitted.
        X : array-like of shape (n_samples, 2), default=None
            N and D of trainings to show as points.
        compute_range : (float, float), default=None
            Smallest and largest budget, in floating point operations; None takes those of ``X``.
        n_levels : int, default=8
            Number of contours.
        loss_name : str, default="loss"
            Name of the loss in the legend.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        IsoLossDisplay

        Raises
        ------
        ValueError
            If there is neither ``X`` nor ``compute_range``, or the range is not an interval of
            positive numbers.
        sklearn.exceptions.NotFittedError
            If ``law`` is not fitted.
        """
        from ..scaling.sizes import by_name

        cls._pyplot()
        X = None if X is None else np.asarray(by_name(X), dtype=float)
        low, high = _budgets(X, compute_range)
        compute = np.geomspace(low, high, _N_POINTS)
        best_sizes, _ = law.optimal_allocation(compute)
        shown = best_sizes if X is None else np.append(best_sizes, X[:, 0])
        model_sizes = np.geomspace(shown.min() / _ROOM, shown.max() * _ROOM, _N_POINTS)
        loss = _loss(law, compute[None], model_sizes[:, None])
        # contours for several budgets, without those at the ends
        budgets = np.geomspace(low, high, n_levels + 2)[1:-1]
        levels = np.sort(_loss(law, budgets, law.optimal_allocation(budgets)[0]))
        display = cls(compute, model_sizes, loss, best_sizes, levels, X=X, loss_name=loss_name)
        return display.plot(ax)

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
        ax = self._open(ax)
        ax.set(xscale="log", yscale="log", xlabel="compute budget (FLOPs)", ylabel="model size N")
        self.contours_ = ax.contour(
            self.compute, self.model_sizes, self.loss, levels=self.levels, cmap="viridis"
        )
        ax.clabel(self.contours_, fontsize="small", fmt="%.3g")
        (self.frontier_line_,) = ax.plot(
            self.compute, self.best_sizes, color=_FRONTIER, label="efficient frontier"
        )
        self.scatter_ = None
        if self.X is not None:
            budgets = 6 * self.X[:, 0] * self.X[:, 1]
            self.scatter_ = ax.scatter(
                budgets, self.X[:, 0], s=12, color="0.3", zorder=3, label="trained"
            )
        ax.legend(frameon=False, title=f"contours: {self.loss_name}")
        return self


def _budgets(X, compute_range):
    """Return the smallest and largest budget."""
    if compute_range is None:
        if X is None:
            raise ValueError("Pass X or compute_range, such as compute_range=(1e15, 1e20).")
        products = 6 * X[:, 0] * X[:, 1]
        compute_range = products.min(), products.max()
    low, high = compute_range
    if not 0 < low < high < np.inf:
        raise ValueError(
            f"compute_range must be two positive, ascending numbers, got {compute_range}"
        )
    return low, high


def _loss(law, compute, model_sizes):
    """Return the loss of models trained with these budgets, in the shape of the arguments."""
    compute, sizes = np.broadcast_arrays(compute, model_sizes)
    X = np.column_stack([sizes.ravel(), (compute / (6 * sizes)).ravel()])
    return law.predict(X).reshape(sizes.shape)
