"""CalibrationDisplay: calibration of the uncertainties of a regression."""

import inspect

import numpy as np

from .display import GUIDE, Display, named, quantity

LEVELS = tuple(np.round(np.arange(0.05, 1.0, 0.05), 2).tolist())


class CalibrationDisplay(Display):
    """Observed against nominal coverage of predicted intervals.

    Use `from_estimator`, `from_predictions` or `from_intervals`. Below the diagonal a model is
    overconfident, above it underconfident.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        Nominal coverage of the intervals, between 0 and 1.
    observed : array-like of shape (n_levels,)
        Share of the true values inside these intervals.
    width : float, default=None
        Mean width of the intervals with the highest level, in the unit of the target.
    name : str, default=None
        Name of the model in the legend.
    unit : str, default=None
        Unit of the target.

    Attributes
    ----------
    miscalibration : float
        Mean distance of the curve from the diagonal over the levels; 0 is best.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    line_ : matplotlib.lines.Line2D
    ideal_line_ : matplotlib.lines.Line2D or None
        The diagonal; None if an earlier display has drawn it.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Calibration of the probabilities of a classifier.

    Examples
    --------
    >>> from sklearn_cloud.plotting import CalibrationDisplay
    >>> display = CalibrationDisplay.from_predictions(
    ...     [1.0, 2.0, 3.0, 4.0], [1.1, 2.3, 2.8, 4.0], [0.2, 0.2, 0.2, 0.2], levels=[0.5, 0.9]
    ... )
    >>> display.observed
    array([0.5, 1. ])
    """

    _figsize = (4.8, 4.8)

    def __init__(self, levels, observed, *, width=None, name=None, unit=None):
        self.levels, self.observed = np.asarray(levels, float), np.asarray(observed, float)
        self.width, self.name, self.unit = width, name, unit
        self.miscalibration = float(np.abs(self.observed - self.levels).mean())

    @classmethod
    def from_estimator(cls, model, X, y, *, levels=LEVELS, name=None, unit=None, ax=None):
        """Predict with standard deviations and draw.

        Parameters
        ----------
        model : estimator or Pipeline
            A fitted regressor with ``predict(X, return_std=True)``, such as a pipeline from
            `CloudEmbedder` to ``GaussianProcessRegressor``.
        X : array-like of shape (n_samples,)
            Input of ``model``: symmetry strings, or crystals for a pipeline.
        y : array-like of shape (n_samples,)
            Targets of rows that were not used for training.
        levels, name, unit, ax
            As in `from_predictions`.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        TypeError
            If ``model`` does not predict standard deviations.
        ValueError
            As `from_predictions`.
        """
        cls._pyplot()
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        if "return_std" not in inspect.signature(last.predict).parameters:
            raise TypeError(
                f"{type(last).__name__} does not predict standard deviations (return_std). Pass "
                "those of an ensemble to from_predictions, or intervals to from_intervals."
            )
        y_pred, y_std = model.predict(X, return_std=True)
        return cls.from_predictions(y, y_pred, y_std, levels=levels, name=name, unit=unit, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, y_std, *, levels=LEVELS, name=None, unit=None, ax=None
    ):
        """Draw the calibration of standard deviations of normal distributions.

        Parameters
        ----------
        y_true, y_pred, y_std : array-like of shape (n_samples,)
            Targets, predictions and their standard deviations.
        levels : array-like of shape (n_levels,), default=0.05 to 0.95 in steps of 0.05
            Nominal coverages, each of an interval around the prediction.
        name, unit
            As for the class.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        ValueError
            If the arrays do not match or are not 1-D, a value is not finite, a standard
            deviation is negative, or a level is not between 0 and 1.
        """
        from scipy.stats import norm

        levels = _check_levels(levels)
        y_pred, y_std = _check_like(y_true, y_pred, "y_pred"), _check_like(y_true, y_std, "y_std")
        if (y_std < 0).any():
            raise ValueError(f"y_std is negative in row {np.flatnonzero(y_std < 0)[0]}")
        half_widths = y_std[:, None] * norm.ppf((1 + levels) / 2)
        center = y_pred[:, None]
        intervals = np.stack([center - half_widths, center + half_widths], axis=1)
        return cls.from_intervals(y_true, intervals, levels, name=name, unit=unit, ax=ax)

    @classmethod
    def from_intervals(cls, y_true, intervals, levels, *, name=None, unit=None, ax=None):
        """Draw the calibration of intervals, for example from MAPIE.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Targets.
        intervals : array-like of shape (n_samples, 2, n_levels)
            Lower and upper ends.
        levels : array-like of shape (n_levels,)
            Nominal coverage of each interval, between 0 and 1.
        name, unit
            As for the class.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        ValueError
            If the arrays do not match, or a level is not between 0 and 1.
        """
        cls._pyplot()
        levels, y_true = _check_levels(levels), _check_like(y_true, y_true, "y_true")
        intervals = np.asarray(intervals, dtype=float)
        if intervals.shape != (len(y_true), 2, len(levels)):
            raise ValueError(
                f"intervals must have the shape (n_samples, 2, n_levels) = "
                f"{(len(y_true), 2, len(levels))}, got {intervals.shape}"
            )
        low, high = intervals[:, 0], intervals[:, 1]
        observed = ((low <= y_true[:, None]) & (y_true[:, None] <= high)).mean(axis=0)
        order = np.argsort(levels)
        width = float((high - low)[:, order[-1]].mean())
        display = cls(levels[order], observed[order], width=width, name=name, unit=unit)
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on, also those of another CalibrationDisplay; None creates a new figure.

        Returns
        -------
        self
        """
        ax = self._open(ax)
        first = not ax.has_data()
        (self.ideal_line_,) = (
            ax.plot([0, 1], [0, 1], ":", color=GUIDE, linewidth=1) if first else [None]
        )
        text = f"off by {self.miscalibration:.3f}"
        if self.width is not None:
            level = f"{100 * self.levels[-1]:g} %"
            text += f", {level} in {quantity(self.width, self.unit)}"
        (self.line_,) = ax.plot(
            self.levels, self.observed, "o-", markersize=4, label=named(self.name, text)
        )
        ax.set(
            xlabel="nominal coverage",
            ylabel="observed coverage",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        # Above the axes, as curves may pass through any corner.
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)
        return self


def _check_levels(levels):
    levels = np.asarray(levels, dtype=float)
    if levels.ndim != 1 or not len(levels) or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"levels must be numbers between 0 and 1, got {levels.tolist()}")
    return levels


def _check_like(y_true, values, name):
    y_true, values = np.asarray(y_true, dtype=float), np.asarray(values, dtype=float)
    if y_true.ndim != 1 or values.shape != y_true.shape or not len(values):
        raise ValueError(
            f"y_true and {name} must be 1-D, not empty and of the same length, got shapes "
            f"{y_true.shape} and {values.shape}"
        )
    if not np.isfinite(values).all():
        row = np.flatnonzero(~np.isfinite(values))[0]
        raise ValueError(f"{name} is not finite in row {row}")
    return values
