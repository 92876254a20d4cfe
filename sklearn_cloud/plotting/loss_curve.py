"""LossCurveDisplay: training and validation loss of a fitted estimator."""

import numpy as np

from .display import Display, named, quantity, with_unit


class LossCurveDisplay(Display):
    """Loss of each epoch of a training, and the epoch whose weights were kept.

    Use `from_estimator`. The training loss is dashed.

    Parameters
    ----------
    train_loss : array-like of shape (n_epochs,)
        Training loss.
    validation_loss : array-like of shape (n_epochs,), default=None
        The same on the validation rows.
    best_epoch : int, default=None
        Epoch whose weights are kept, counted from 1.
    name : str, default=None
        Name of the model in the legend.
    loss_name : str, default="loss"
        Name of the loss at the axis.
    unit : str, default=None
        Unit of the loss.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    train_line_, validation_line_ : matplotlib.lines.Line2D or None
    best_line_ : matplotlib.lines.Line2D or None
        The point of the best epoch.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Score against the number of training rows; it
        also accepts these estimators and their pipelines.

    Examples
    --------
    >>> from sklearn_cloud.plotting import LossCurveDisplay
    >>> display = LossCurveDisplay([0.9, 0.5, 0.3], [0.8, 0.6, 0.7], best_epoch=2).plot()
    >>> display.best_line_.get_xydata()
    array([[2. , 0.6]])
    """

    def __init__(
        self,
        train_loss,
        validation_loss=None,
        *,
        best_epoch=None,
        name=None,
        loss_name="loss",
        unit=None,
    ):
        self.train_loss = np.asarray(train_loss, dtype=float)
        self.validation_loss = (
            None if validation_loss is None else np.asarray(validation_loss, dtype=float)
        )
        self.best_epoch = best_epoch
        self.name, self.loss_name, self.unit = name, loss_name, unit

    @classmethod
    def from_estimator(cls, model, *, name=None, unit=None, ax=None):
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        model : CloudRegressor, CloudClassifier or Pipeline
            The fitted model, or a pipeline that ends in one.
        name : str, default=None
            Name of the model in the legend.
        unit : str, default=None
            Unit of a regressor's target.
        ax : matplotlib.axes.Axes, default=None
            Axes to plot on; None creates a new figure.

        Returns
        -------
        LossCurveDisplay
            The mean absolute error in the unit of the target, or in standard deviations for several
            targets; the cross-entropy for a classifier.

        Raises
        ------
        TypeError
            If ``model`` has another type.
        sklearn.exceptions.NotFittedError
            If ``model`` is not fitted.
        """
        from ..estimators import CloudClassifier, CloudRegressor
        from ..estimators.pipelines import last_step

        cls._pyplot()
        estimator = last_step(model, (CloudRegressor, CloudClassifier))
        scale, loss_name = 1.0, "cross-entropy"
        if isinstance(estimator, CloudRegressor):
            several = estimator.n_outputs_ > 1
            scale = 1.0 if several else float(estimator.target_scale_[0])
            loss_name = "standardised mean absolute error" if several else "mean absolute error"
            unit = None if several else unit
        validation = estimator.validation_scores_
        display = cls(
            np.multiply(estimator.loss_curve_, scale),
            None if validation is None else np.multiply(validation, scale),
            best_epoch=estimator.best_epoch_,
            name=name,
            loss_name=loss_name,
            unit="nats" if isinstance(estimator, CloudClassifier) else unit,
        )
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
        from matplotlib.ticker import MaxNLocator

        ax = self._open(ax)
        epochs = np.arange(1, len(self.train_loss) + 1)
        (self.train_line_,) = ax.plot(
            epochs, self.train_loss, "--", linewidth=1.2, label=named(self.name, "training")
        )
        color = self.train_line_.get_color()
        self.validation_line_ = self.best_line_ = None
        if self.validation_loss is not None:
            (self.validation_line_,) = ax.plot(
                epochs,
                self.validation_loss,
                color=color,
                label=named(self.name, "validation"),
            )
        self._plot_best(ax, color)
        ax.set(xlabel="epoch", ylabel=with_unit(self.loss_name, self.unit))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
        return self

    def _plot_best(self, ax, color):
        if self.best_epoch is None:
            return
        curve = self.train_loss if self.validation_loss is None else self.validation_loss
        loss = curve[self.best_epoch - 1]
        text = f"epoch {self.best_epoch} kept: {quantity(loss, self.unit)}"
        (self.best_line_,) = ax.plot(
            [self.best_epoch], [loss], "o", color=color, label=named(self.name, text)
        )
