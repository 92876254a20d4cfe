"""ContributionDisplay: how elements, sites, symmetry and cell change a prediction."""

from .display import COLORS, GUIDE, Display, with_unit

_KINDS = {
    "element": (COLORS[1], "element"),
    "site": (COLORS[2], "site"),
    "symmetry": (COLORS[0], "symmetry"),
    "cell": (COLORS[3], "cell"),
}
_INCHES = 0.42  # per bar, with a label of two lines


class ContributionDisplay(Display):
    """Contributions to the prediction of a crystal, as bars.

    Use `from_estimator`, or pass an explanation and call `plot`.

    Parameters
    ----------
    explanation : CrystalExplanation
        Result of `sklearn_cloud.explanations.explain_crystal`.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    bars_ : matplotlib.container.BarContainer

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud.features import ElementFractions
    >>> from sklearn_cloud.plotting import ContributionDisplay
    >>> model = make_pipeline(ElementFractions(), DummyRegressor()).fit(["NaCl", "KCl"], [8.5, 8.3])
    >>> display = ContributionDisplay.from_estimator(model, "NaCl", unit="eV")
    >>> [label.get_text().split() for label in display.ax_.get_yticklabels()]
    [['Cl', 'instead', 'of', 'F,', 'Br'], ['Na', 'instead', 'of', 'Li,', 'K']]
    """

    def __init__(self, explanation):
        self.explanation = explanation

    @property
    def _figsize(self):
        return 6.5, _INCHES * len(self.explanation.contributions) + 1.3

    @classmethod
    def from_estimator(cls, model, crystal, *, ax=None, **options):
        """Explain a prediction and draw.

        Parameters
        ----------
        model, crystal
            As in `sklearn_cloud.explanations.explain_crystal`.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure, large enough for the bars.
        **options
            Further parameters of `sklearn_cloud.explanations.explain_crystal`, such as `unit`.

        Returns
        -------
        ContributionDisplay

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As `sklearn_cloud.explanations.explain_crystal`.
        """
        from ..explanations import explain_crystal

        cls._pyplot()
        return cls(explain_crystal(model, crystal, **options)).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure, large enough for the bars.

        Returns
        -------
        self
        """
        from matplotlib.patches import Patch

        ax = self._open(ax)
        rows = self.explanation.sorted_contributions()
        kinds = set(rows["kind"])
        colors = [_KINDS[kind][0] for kind in rows["kind"]]
        self.bars_ = ax.barh(range(len(rows)), rows["contribution"], color=colors)
        labels = [f"{row.name}\ninstead of {row.instead}" for row in rows.itertuples(index=False)]
        ax.set_yticks(range(len(rows)), labels, fontsize="small")
        ax.invert_yaxis()
        ax.axvline(0, color=GUIDE, linewidth=0.8)
        ax.set_xlabel(with_unit("contribution to the prediction", self.explanation.unit))
        ax.set_title(self.explanation.title, fontsize="medium", loc="left", pad=22)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(
            handles=[Patch(color=c, label=text) for k, (c, text) in _KINDS.items() if k in kinds],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(kinds),
            frameon=False,
            fontsize="small",
            borderaxespad=0.2,
            handlelength=1,
            columnspacing=1,
        )
        return self
