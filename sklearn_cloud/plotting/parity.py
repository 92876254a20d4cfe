"""ParityDisplay: predicted against true values."""

import numpy as np

from .display import GUIDE, Display, named, quantity, with_unit

# Lower right corner, in fractions of the axes: empty unless large values are underestimated.
_INSET = (0.66, 0.13, 0.31, 0.24)
_SHOWN = 99  # percent of the errors shown in the histogram
_MANY = 2000  # from here on, points are small and rasterized


class ParityDisplay(Display):
    """Predicted against true values, with a histogram of the errors.

    Use `from_estimator` or `from_predictions`; several models can share the axes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Targets and predictions.
    name : str, default=None
        Name of the model in the legend.
    target_name : str, default="target"
        Name of the target at the axes.
    unit : str, default=None
        Unit of the target.

    Attributes
    ----------
    mae : float
        Mean absolute error, in the unit of the target.
    r2 : float
        Coefficient of determination; NaN for fewer than two samples.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    scatter_ : matplotlib.collections.PathCollection
    line_ : matplotlib.lines.Line2D
        The diagonal.
    histogram_ax_ : matplotlib.axes.Axes or None
        Axes of the histogram.
    errors_ : matplotlib.patches.Polygon or None
        Outline of the histogram of ``y_pred - y_true``.

    See Also
    --------
    sklearn.metrics.PredictionErrorDisplay : Residuals against predictions.

    Examples
    --------
    >>> from sklearn_cloud.plotting import ParityDisplay
    >>> display = ParityDisplay.from_predictions(
    ...     [1.1, 3.6, 8.5], [1.4, 3.2, 8.5], name="CLOUD", target_name="band gap", unit="eV"
    ... )
    >>> display.ax_.get_xlabel(), display.ax_.get_legend().get_texts()[0].get_text()
    ('true band gap (eV)', 'CLOUD: MAE 0.233 eV, R² 0.991')
    """

    _figsize = (4.8, 6.0)

    def __init__(self, y_true, y_pred, *, name=None, target_name="target", unit=None):
        from sklearn.metrics import r2_score

        from ..evaluation import regression_scores

        self.y_true, self.y_pred = np.asarray(y_true, float), np.asarray(y_pred, float)
        self.name, self.target_name, self.unit = name, target_name, unit
        self.mae = regression_scores(self.y_true, self.y_pred)["mae"]
        several = len(self.y_true) > 1
        self.r2 = float(r2_score(self.y_true, self.y_pred)) if several else float("nan")

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        y,
        *,
        name=None,
        target_name="target",
        unit=None,
        ax=None,
        histogram=True,
        scatter_kwargs=None,
    ):
        """Predict and draw.

        Parameters
        ----------
        model : estimator or Pipeline
            A fitted regressor with one target.
        X : array-like of shape (n_samples,)
            Input of ``model``: symmetry strings, or crystals for a pipeline.
        y : array-like of shape (n_samples,)
            Targets.
        name, target_name, unit
            As for the class.
        ax, histogram, scatter_kwargs
            As for `plot`.

        Returns
        -------
        ParityDisplay

        Raises
        ------
        TypeError
            If ``model`` is not a regressor.
        ValueError
            If there are several targets, or values that are not finite.
        """
        from sklearn.base import is_regressor

        cls._pyplot()
        if not is_regressor(model):
            raise TypeError(f"ParityDisplay needs a regressor, got {type(model).__name__}.")
        display = cls(y, model.predict(X), name=name, target_name=target_name, unit=unit)
        return display.plot(ax, histogram=histogram, scatter_kwargs=scatter_kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        name=None,
        target_name="target",
        unit=None,
        ax=None,
        histogram=True,
        scatter_kwargs=None,
    ):
        """Draw predictions, such as those of ``cross_val_predict``.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            Targets and predictions.
        name, target_name, unit
            As for the class.
        ax, histogram, scatter_kwargs
            As for `plot`.

        Returns
        -------
        ParityDisplay

        Raises
        ------
        ValueError
            If the arrays do not match, are empty or not 1-D, or contain a value that is not finite.
        """
        display = cls(y_true, y_pred, name=name, target_name=target_name, unit=unit)
        return display.plot(ax, histogram=histogram, scatter_kwargs=scatter_kwargs)

    def plot(self, ax=None, *, histogram=True, scatter_kwargs=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on, also those of another ParityDisplay; None creates a new figure.
        histogram : bool or matplotlib.axes.Axes, default=True
            Whether to plot a histogram of the errors, below the plot in a new figure or as an inset
            on given axes; or the axes for it (such as `histogram_ax_` of another display). It may
            not show a few large errors.
        scatter_kwargs : dict, default=None
            Keyword arguments of ``ax.scatter``.

        Returns
        -------
        self
        """
        ax = self._open_with_errors(ax, histogram)
        limits = self._limits(ax)
        (self.line_,) = ax.plot(limits, limits, color=GUIDE, linewidth=1, zorder=0)
        scores = f"MAE {quantity(self.mae, self.unit)}, R² {self.r2:.3f}"
        many = len(self.y_true) > _MANY
        style = {"s": 4 if many else 16, "alpha": 0.3 if many else 0.6, "rasterized": many}
        style |= {"linewidths": 0, "label": named(self.name, scores), **(scatter_kwargs or {})}
        self.scatter_ = ax.scatter(self.y_true, self.y_pred, **style)
        ax.set(
            xlabel=with_unit(f"true {self.target_name}", self.unit),
            ylabel=with_unit(f"predicted {self.target_name}", self.unit),
            xlim=limits,
            ylim=limits,
            aspect="equal",
        )
        legend = ax.legend(loc="best", frameon=False, handletextpad=0.2)
        for handle in legend.legend_handles:
            handle.set(alpha=1, sizes=[16])
        if self.histogram_ax_ is not None:
            self._plot_errors(self.histogram_ax_)
        return self

    def _open_with_errors(self, ax, histogram):
        """Return the axes for the points; set `histogram_ax_` to those for the errors, or None."""
        self.histogram_ax_ = self.errors_ = None
        if ax is None and histogram is True:
            _, (ax, self.histogram_ax_) = self._pyplot().subplots(
                2, figsize=self._figsize, height_ratios=(5, 1), layout="compressed"
            )
        elif histogram is True:
            self.histogram_ax_ = ax.inset_axes(_INSET)
            self.histogram_ax_.patch.set_alpha(0.7)
            self.histogram_ax_.tick_params(labelsize="small", length=2, pad=1)
            self.histogram_ax_.xaxis.label.set_fontsize("small")
        elif histogram is not False:
            self.histogram_ax_ = histogram
        return self._open(ax)

    def _limits(self, ax):
        """Return limits of both axes, for this display and those drawn before."""
        values = np.concatenate([self.y_true, self.y_pred])
        low, high = values.min(), values.max()
        margin = 0.04 * (high - low) or 0.5
        before = ax.get_xlim() if ax.has_data() else (np.inf, -np.inf)
        return min(low - margin, before[0]), max(high + margin, before[1])

    def _plot_errors(self, axes):
        errors = self.y_pred - self.y_true
        reach = 1.2 * np.percentile(np.abs(errors), _SHOWN) or 1.0
        shown = max(reach, axes.get_xlim()[1]) if axes.has_data() else reach
        color = self.scatter_.get_facecolor()[0, :3]
        style = {"histtype": "stepfilled", "facecolor": (*color, 0.2), "edgecolor": color}
        *_, (self.errors_,) = axes.hist(
            errors, bins=40, range=(-reach, reach), density=True, **style
        )
        axes.axvline(0, color=GUIDE, linewidth=0.8, zorder=0)
        axes.set(xlim=(-shown, shown), yticks=[], xlabel=with_unit("error", self.unit))
        axes.spines[["top", "left", "right"]].set_visible(False)
