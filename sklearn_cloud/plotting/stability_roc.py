"""StabilityROCDisplay: the ROC curve of a search for stable crystals."""

import numpy as np

from .display import GUIDE, Display, named

THRESHOLDS = (-0.05, 0.0, 0.05)  # eV/atom, those of Table 7 of the paper
_MARKERS = "v^sDPX"


class StabilityROCDisplay(Display):
    """ROC curve of a search for stable crystals, over the threshold of the predicted energy.

    Use `from_estimator` or `from_predictions`; several models can share the axes. A crystal is
    stable if its true energy above the hull is at most 0, and predicted stable if the predicted
    one is at most the threshold, which runs along the curve.

    Parameters
    ----------
    fpr, tpr : array-like of shape (n_points,)
        Share of the unstable and of the stable crystals that are predicted stable.
    roc_auc : float, default=None
        Area under the curve, for the legend.
    thresholds : dict of float to (float, float), default=None
        Marked points: threshold in eV/atom to (fpr, tpr).
    name : str, default=None
        Name of the model in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    line_ : matplotlib.lines.Line2D
        The curve.
    chance_line_ : matplotlib.lines.Line2D or None
        The diagonal; None if an earlier display has drawn it.
    threshold_lines_ : dict of float to matplotlib.lines.Line2D
        The marked points.

    See Also
    --------
    sklearn_cloud.evaluation.roc_points, sklearn_cloud.evaluation.stability_table
    sklearn.metrics.RocCurveDisplay : ROC curve of the probabilities of a classifier.

    References
    ----------
    .. [1] CLOUD paper, Figures 3 and 5.

    Examples
    --------
    >>> from sklearn_cloud.plotting import StabilityROCDisplay
    >>> display = StabilityROCDisplay.from_predictions(
    ...     [-0.1, 0.2, 0.1, 0.3], [-0.2, -0.02, 0.2, 0.4], name="CLOUD"
    ... )
    >>> display.roc_auc, display.thresholds[-0.05]
    (1.0, (0.0, 1.0))
    """

    _figsize = (4.8, 4.8)

    def __init__(self, fpr, tpr, *, roc_auc=None, thresholds=None, name=None):
        self.fpr, self.tpr = np.asarray(fpr, dtype=float), np.asarray(tpr, dtype=float)
        self.roc_auc, self.thresholds, self.name = roc_auc, thresholds or {}, name

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        e_true,
        *,
        hull_energies=None,
        subset=None,
        thresholds=THRESHOLDS,
        name=None,
        ax=None,
    ):
        """Predict energies and draw.

        Parameters
        ----------
        model : estimator or Pipeline
            A fitted regressor of the energy above the hull, or of the formation energy if
            ``hull_energies`` are given, in eV/atom.
        X : array-like of shape (n_crystals,)
            Input of ``model``: symmetry strings, or crystals for a pipeline.
        e_true : array-like of shape (n_crystals,)
            True energies above the hull, in eV/atom.
        hull_energies : array-like of shape (n_crystals,), default=None
            Formation energy of the hull at each composition, in eV/atom
            (`ConvexHull.hull_energies`), which is subtracted from the predictions.
        subset, thresholds, name, ax
            As in `from_predictions`.

        Returns
        -------
        StabilityROCDisplay

        Raises
        ------
        TypeError
            If ``model`` is not a regressor.
        ValueError
            As `from_predictions`.
        """
        from sklearn.base import is_regressor

        cls._pyplot()
        if not is_regressor(model):
            raise TypeError(f"StabilityROCDisplay needs a regressor, got {type(model).__name__}.")
        e_pred = model.predict(X)
        if hull_energies is not None:
            hull_energies = np.asarray(hull_energies, dtype=float)
            if hull_energies.shape != e_pred.shape:
                raise ValueError(
                    f"hull_energies of shape {hull_energies.shape} do not match predictions of "
                    f"shape {e_pred.shape}"
                )
            e_pred = e_pred - hull_energies
        return cls.from_predictions(
            e_true, e_pred, subset=subset, thresholds=thresholds, name=name, ax=ax
        )

    @classmethod
    def from_predictions(
        cls, e_true, e_pred, *, subset=None, thresholds=THRESHOLDS, name=None, ax=None
    ):
        """Draw predictions.

        Parameters
        ----------
        e_true, e_pred : array-like of shape (n_crystals,)
            True and predicted energies above the hull, in eV/atom; NaN for a missing
            prediction (such crystals count as predicted unstable).
        subset : array-like of bool of shape (n_crystals,), default=None
            Crystals to score; None means all.
        thresholds : sequence of float, default=(-0.05, 0.0, 0.05)
            Thresholds to mark on the curve, in eV/atom.
        name : str, default=None
            Name of the model in the legend.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        StabilityROCDisplay

        Raises
        ------
        ValueError
            If the arrays do not match, or the crystals are all stable or all unstable.
        """
        from ..evaluation import roc_points, stability_scores

        cls._pyplot()
        fpr, tpr, _ = roc_points(e_true, e_pred, subset=subset)
        at = {float(t): stability_scores(e_true, e_pred, threshold=t, subset=subset)
              for t in (0.0, *thresholds)}  # fmt: skip
        display = cls(
            fpr,
            tpr,
            roc_auc=at[0.0]["roc_auc"],
            thresholds={float(t): (1 - at[t]["tnr"], at[t]["tpr"]) for t in thresholds},
            name=name,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on, also those of another StabilityROCDisplay; None creates a new figure.

        Returns
        -------
        self
        """
        ax = self._open(ax)
        first = not ax.has_data()
        (self.chance_line_,) = (
            ax.plot([0, 1], [0, 1], ":", color=GUIDE, linewidth=1) if first else [None]
        )
        score = "ROC curve" if self.roc_auc is None else f"AUC {self.roc_auc:.3f}"
        (self.line_,) = ax.plot(self.fpr, self.tpr, label=named(self.name, score))
        self._plot_thresholds(ax, first)
        ax.set(
            xlabel="unstable crystals predicted stable",
            ylabel="stable crystals predicted stable",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        curves_first = sorted(ax.get_lines(), key=lambda line: line.get_marker() != "None")
        ax.legend(
            handles=[line for line in curves_first if not line.get_label().startswith("_")],
            loc="lower right",
            frameon=False,
        )
        return self

    def _plot_thresholds(self, ax, first):
        """Mark the thresholds; the legend explains the markers once."""
        self.threshold_lines_ = {}
        for marker, (threshold, point) in zip(_MARKERS, sorted(self.thresholds.items())):
            (line,) = ax.plot(
                *([x] for x in point), marker, color=self.line_.get_color(), clip_on=False, zorder=3
            )
            self.threshold_lines_[threshold] = line
            if first:
                ax.plot([], [], marker, color=GUIDE, label=f"up to {_signed(threshold)} eV/atom")


def _signed(number):
    return f"{number:g}".replace("-", "\N{MINUS SIGN}")
