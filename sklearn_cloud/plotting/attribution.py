"""AttributionDisplay: contributions of tokens to a prediction."""

from .display import GUIDE, Display, quantity, with_unit
from .token_colours import PARTS, label_tokens, part_legend

_INCHES = 0.19  # per token


class AttributionDisplay(Display):
    """Attributions of a prediction to the tokens of the string, as bars.

    Use `from_estimator`.

    Parameters
    ----------
    explanation : Explanation
        Result of `sklearn_cloud.explanations.explain_prediction`.
    unit : str, default=None
        Unit of the prediction.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    bars_ : matplotlib.container.BarContainer

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor
    >>> from sklearn_cloud.plotting import AttributionDisplay
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    >>> model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, [8.5, 3.6, 1.1] * 4)
    >>> display = AttributionDisplay.from_estimator(model, "8a | Si 1.0", unit="eV")
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['8a', '|', 'Si', '1.0']
    """

    def __init__(self, explanation, *, unit=None):
        self.explanation, self.unit = explanation, unit

    @property
    def _figsize(self):
        return max(5.0, _INCHES * len(self.explanation.tokens) + 1.0), 3.2

    @classmethod
    def from_estimator(
        cls,
        model,
        crystal,
        *,
        method="integrated_gradients",
        target=None,
        n_steps=32,
        unit=None,
        ax=None,
    ):
        """Explain a prediction and draw.

        Parameters
        ----------
        model, crystal, method, target, n_steps
            As in `sklearn_cloud.explanations.explain_prediction`.
        unit : str, default=None
            Unit of a regressor's target.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure, large enough for the labels.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As `sklearn_cloud.explanations.explain_prediction`.
        """
        from ..explanations import explain_prediction

        cls._pyplot()
        explanation = explain_prediction(
            model, crystal, method=method, target=target, n_steps=n_steps
        )
        return cls(explanation, unit=unit).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure, large enough for the labels.

        Returns
        -------
        self
        """
        ax = self._open(ax)
        inner = slice(1, -1)  # [CLS] and [SEP] have no attribution
        tokens, parts = self.explanation.tokens[inner], self.explanation.parts[inner]
        colors = [PARTS[part][0] for part in parts]
        self.bars_ = ax.bar(range(len(tokens)), self.explanation.attributions[inner], color=colors)
        ax.axhline(0, color=GUIDE, linewidth=0.8)
        label_tokens(ax.xaxis, tokens, parts)
        ax.set(xlim=(-0.7, len(tokens) - 0.3), ylabel=with_unit("attribution", self.unit))
        ax.set_title(self._title(), fontsize="medium", loc="left", pad=22)
        ax.spines[["top", "right"]].set_visible(False)
        part_legend(ax, parts)
        return self

    def _title(self):
        prediction, baseline = (
            quantity(value, self.unit)
            for value in (self.explanation.prediction, self.explanation.baseline)
        )
        what = "prediction"
        if self.explanation.is_probability:
            what = f"probability of {self.explanation.target}"
        return f"{what} {prediction}, all masked {baseline}"
