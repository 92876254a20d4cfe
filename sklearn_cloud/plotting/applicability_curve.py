"""ApplicabilityDisplay: error of predictions against their applicability."""

import numpy as np

from .display import GUIDE, Display, named, quantity


class ApplicabilityDisplay(Display):
    """Mean absolute error of crystals against their similarity to the training crystals.

    Use `from_estimator` or `from_predictions`. The crystals are sorted by applicability and divided
    into groups of equal size; if the score is useful, the error falls from left to right.

    Parameters
    ----------
    applicability : array-like of shape (n_groups,)
        Mean applicability of each group, ascending.
    error : array-like of shape (n_groups,)
        Mean absolute error of each group.
    standard_error : array-like of shape (n_groups,)
        Standard error of these means.
    name : str, default=None
        Name of the model in the legend.
    unit : str, default=None
        Unit of the target.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    container_ : matplotlib.container.ErrorbarContainer

    See Also
    --------
    sklearn_cloud.CrystalRegressor.applicability : The score.

    Examples
    --------
    >>> from sklearn_cloud.plotting import ApplicabilityDisplay
    >>> display = ApplicabilityDisplay.from_predictions(
    ...     [1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.0, 4.0], [0.0, 0.1, 0.8, 0.9], n_groups=2
    ... )
    >>> display.error
    array([0.5, 0. ])
    """

    def __init__(self, applicability, error, standard_error, *, name=None, unit=None):
        self.applicability = np.asarray(applicability, dtype=float)
        self.error = np.asarray(error, dtype=float)
        self.standard_error = np.asarray(standard_error, dtype=float)
        self.name, self.unit = name, unit

    @classmethod
    def from_estimator(cls, model, X, y, *, n_groups=8, name=None, unit=None, ax=None):
        """Predict and draw.

        Parameters
        ----------
        model : CrystalRegressor
            Fitted.
        X : array-like of shape (n_samples,)
            Crystals that were not used for fitting.
        y : array-like of shape (n_samples,)
            Their targets.
        n_groups, name, unit, ax
            As in `from_predictions`.

        Returns
        -------
        ApplicabilityDisplay

        Raises
        ------
        TypeError
            If ``model`` has no applicability.
        ValueError
            As `from_predictions`.
        """
        cls._pyplot()
        if not hasattr(model, "applicability"):
            raise TypeError(
                f"{type(model).__name__} has no applicability: pass a fitted CrystalRegressor."
            )
        options = {"n_groups": n_groups, "name": name, "unit": unit, "ax": ax}
        return cls.from_predictions(y, model.predict(X), model.applicability(X), **options)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, applicability, *, n_groups=8, name=None, unit=None, ax=None
    ):
        """Draw the errors of predictions.

        Parameters
        ----------
        y_true, y_pred, applicability : array-like of shape (n_samples,)
            Targets, predictions and applicability scores.
        n_groups : int, default=8
            Number of groups.
        name, unit
            As for the class.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        ApplicabilityDisplay

        Raises
        ------
        ValueError
            If the arrays do not match, a value is not finite, or there are fewer rows than groups.
        """
        cls._pyplot()
        arrays = [np.asarray(values, dtype=float) for values in (y_true, y_pred, applicability)]
        if arrays[0].ndim != 1 or len({array.shape for array in arrays}) > 1:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(
                "y_true, y_pred and applicability must be 1-D and of the same length, got "
                f"shapes {shapes}."
            )
        bad = np.flatnonzero(~np.isfinite(arrays).all(axis=0))
        if len(bad):
            raise ValueError(f"A value is not finite in row {bad[0]}.")
        y_true, y_pred, applicability = arrays
        if not 1 <= n_groups <= len(y_true):
            raise ValueError(f"n_groups={n_groups} must be between 1 and {len(y_true)} rows.")
        errors = np.abs(y_pred - y_true)
        groups = np.array_split(np.argsort(applicability, kind="stable"), n_groups)
        display = cls(
            [applicability[rows].mean() for rows in groups],
            [errors[rows].mean() for rows in groups],
            [errors[rows].std() / np.sqrt(len(rows)) for rows in groups],
            name=name,
            unit=unit,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on, also those of another ApplicabilityDisplay; None creates a new figure.

        Returns
        -------
        self
        """
        ax = self._open(ax)
        text = f"MAE {quantity(self.error.mean(), self.unit)}"
        self.container_ = ax.errorbar(
            self.applicability,
            self.error,
            yerr=self.standard_error,
            fmt="o-",
            markersize=4,
            capsize=2,
            label=named(self.name, text),
        )
        ax.axvline(0.05, color=GUIDE, linestyle=":", linewidth=1)
        unit = f" ({self.unit})" if self.unit else ""
        ax.set(xlabel="applicability", ylabel=f"mean absolute error{unit}", xlim=(-0.03, 1.03))
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False)
        return self
