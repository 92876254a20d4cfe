"""ScalingLaw: the loss as a function of model size and data size."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval, StrOptions
from .fitting import bootstrap, minimize, starting_points, warn_if_uncertain
from .forms import FORMS, Hoffmann, with_allocation
from .sizes import by_name, check_positive, check_sizes, check_variety

FLOPS = 6  # per weight and token, forward and backward (Kaplan et al., section 2.1)


class ScalingLaw(RegressorMixin, BaseEstimator):
    """Loss as a function of model size N and data size D.

    The law of Hoffmann et al. [3]_, equation 2 of the paper [1]_,

        L(N, D) = A / N**alpha + B / D**beta + E

    or that of Kaplan et al. [2]_, equation 1,

        L(N, D) = ((N_c / N)**(alpha_N / alpha_D) + D_c / D)**alpha_D

    is fitted: the Huber loss of log L (equation 3) is minimised with L-BFGS from 16 starts.

    Parameters
    ----------
    form : {"hoffmann", "kaplan"}, default="hoffmann"
        Equation 2 or equation 1.
    delta : float, default=1e-3
        Errors of log L above this count linearly. The default is that of [3]_; the
        paper does not name one.
    n_bootstraps : int, default=100
        Number of refits for `confidence_intervals`; 0 saves their time.
    max_iter : int, default=2000
        L-BFGS iterations of each start.
    random_state : int, RandomState instance or None, default=None
        Seed of the bootstrap; the fit itself is deterministic.

    Attributes
    ----------
    A_, B_, E_, alpha_, beta_ : float
        Coefficients of ``form="hoffmann"``. E is the loss of an infinite model on infinite data.
    N_c_, D_c_, alpha_N_, alpha_D_ : float
        Coefficients of ``form="kaplan"``.
    a_, b_, G_ : float
        Equation 5: the exponents of the best model and data size, and their prefactor; see
        `optimal_allocation`. ``a_ + b_`` is 1.
    coefficients_ : dict of str to float
        All of these by name, without the underscore.
    bootstrap_coefficients_ : dict of str to ndarray of shape (n_bootstraps,)
        The same for every refit; empty without any.
    huber_loss_ : float
        Equation 3 at the minimum. Only after `fit`, as the two below.
    n_iter_ : int
        Iterations of the best start.
    converged_ : bool
        Whether the best start converged.
    n_features_in_ : int
        2.

    See Also
    --------
    sklearn_cloud.plotting.ScalingCurveDisplay : Loss against data or model size (Figure 4).
    sklearn_cloud.plotting.IsoLossDisplay : Contours of the loss and the efficient frontier
        (Figure 6).

    Notes
    -----
    Below equation 1 the paper calls N the number of tokens and D that of the non-embedding
    parameters, and in equation 4 N the model size and D the data size. Here it is the latter
    throughout, as in [2]_ and [3]_: **N is the number of non-embedding parameters of the encoder, D
    the amount of training data**. D is counted in tokens where a compute budget is involved, since
    training takes about C = 6 N D floating point operations.

    The bootstrap refits the law to rows drawn with replacement.

    References
    ----------
    .. [1] C. Xu, S. Zhu and V. Viswanathan, CLOUD: A Scalable Scientific Foundation Model for
       Crystal Representation Learning, 2024, section 4.5.
    .. [2] J. Kaplan et al., Scaling Laws for Neural Language Models, arXiv:2001.08361, 2020.
    .. [3] J. Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv:2203.15556,
       2022.

    Examples
    --------
    The law of the paper, and the best model for a budget:

    >>> from sklearn_cloud.scaling import ScalingLaw
    >>> law = ScalingLaw.from_coefficients(
    ...     A=90.7464, B=21.9854, E=0.2296, alpha=0.4339, beta=0.3518
    ... )
    >>> round(law.a_, 2), round(law.b_, 2)
    (0.45, 0.55)
    >>> n_parameters, n_tokens = law.optimal_allocation(1e20)
    >>> print(f"{n_parameters:.3g} parameters, {n_tokens:.3g} tokens")
    3.21e+09 parameters, 5.2e+09 tokens

    A law from losses that were measured:

    >>> import numpy as np
    >>> N, D = np.meshgrid([1e5, 1e6, 1e7], [1e6, 1e7, 1e8])
    >>> X = np.column_stack([N.ravel(), D.ravel()])
    >>> fitted = ScalingLaw().fit(X, law.predict(X))
    >>> round(fitted.alpha_, 4), round(fitted.beta_, 4)
    (0.4339, 0.3518)
    """

    _parameter_constraints = {
        "form": [StrOptions(set(FORMS))],
        "delta": [Interval(Real, 0, None, closed="neither")],
        "n_bootstraps": [Interval(Integral, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, form="hoffmann", *, delta=1e-3, n_bootstraps=100, max_iter=2000, random_state=None
    ):
        self.form = form
        self.delta = delta
        self.n_bootstraps = n_bootstraps
        self.max_iter = max_iter
        self.random_state = random_state

    @classmethod
    def from_coefficients(cls, *, A, B, E, alpha, beta):
        """A fitted law of the form of Hoffmann et al., without any data.

        Parameters
        ----------
        A, B, E, alpha, beta : float
            See the class. E may be 0, the others are positive.

        Returns
        -------
        ScalingLaw
            Fitted; it has no bootstrap.

        Raises
        ------
        ValueError
            If a coefficient is negative or not finite, or one but E is 0.
        """
        coefficients = {"A": A, "B": B, "E": E, "alpha": alpha, "beta": beta}
        for name, value in coefficients.items():
            if not np.isfinite(value) or value < 0 or (value == 0 and name != "E"):
                raise ValueError(f"{name} must be a positive number, got {value}")
        law = cls()
        law._form, law.n_features_in_, law.bootstrap_coefficients_ = Hoffmann, 2, {}
        law._set_coefficients({name: float(value) for name, value in coefficients.items()})
        return law

    def fit(self, X, loss):
        """Fit the law to measured losses.

        Parameters
        ----------
        X : array-like of shape (n_samples, 2)
            Model size N and data size D of each training. The columns of a DataFrame are found
            by the names "N" and "D", whatever their order.
        loss : array-like of shape (n_samples,)
            Loss of each, above 0. It need not be a cross-entropy.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a size or loss is not above 0 (all such rows are named), there are not more rows
            than coefficients, or too few different sizes, or pairs of them, to determine the law.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If the best start did not converge, the losses do not determine the law (also where D
            is given by N in all rows), or E is at its lower bound. The best law found is kept.
        """
        self._validate_params()
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # an earlier fit may have had another form
        self._form = form = FORMS[self.form]
        X, loss = validate_data(
            self,
            by_name(X),
            loss,
            dtype=float,
            y_numeric=True,
            ensure_min_samples=len(form.names) + 1,
        )
        check_sizes(X)
        check_positive(loss, "The loss")
        check_variety(X, form.min_sizes, len(form.names))
        center = np.log(X).mean(axis=0)
        self._fit(np.log(X) - center, np.log(loss), center)
        return self

    def _fit(self, log_sizes, log_loss, center):
        form = self._form
        options = {"delta": self.delta, "max_iter": self.max_iter}
        starts = starting_points(form, log_sizes, log_loss)
        best = minimize(form, log_sizes, log_loss, starts, **options)
        self._set_coefficients(form.coefficients(best.x, center))
        self.huber_loss_, self.n_iter_ = float(best.fun), int(best.nit)
        self.converged_ = bool(best.success)
        warn_if_uncertain(form, best, log_sizes)
        rng = check_random_state(self.random_state)
        found = bootstrap(form, best.x, log_sizes, log_loss, self.n_bootstraps, rng, **options)
        refits = [with_allocation(form, form.coefficients(refit, center)) for refit in found]
        self.bootstrap_coefficients_ = {
            name: np.array([refit[name] for refit in refits])
            for name in (self.coefficients_ if refits else ())
        }

    def predict(self, X):
        """Loss of models of size N on data of size D.

        Parameters
        ----------
        X : array-like of shape (n_samples, 2)
            N and D, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(self, by_name(X), dtype=float, reset=False)
        check_sizes(X)
        return self._form.loss(self.coefficients_, *X.T)

    def optimal_allocation(self, compute):
        """The model and data size with the lowest loss for a compute budget (equation 4).

        N_opt = G (C / 6)**a and D_opt = (C / 6)**b / G.

        Parameters
        ----------
        compute : float or array-like
            Budget C of the training, in floating point operations.

        Returns
        -------
        N_opt : float or ndarray
            Number of non-embedding parameters.
        D_opt : float or ndarray
            Number of training tokens, if the law was fitted to those.

        Raises
        ------
        ValueError
            If a budget is not above 0.
        """
        check_is_fitted(self)
        budget = np.asarray(compute, dtype=float)
        check_positive(budget.ravel(), "The compute budget")
        product = budget / FLOPS
        sizes = self.G_ * product**self.a_, product**self.b_ / self.G_
        return tuple(size if size.ndim else float(size) for size in sizes)

    def confidence_intervals(self, level=0.95):
        """Intervals of all coefficients from the quantiles of the bootstrap.

        Parameters
        ----------
        level : float, default=0.95
            Coverage, between 0 and 1.

        Returns
        -------
        dict of str to (float, float)
            Lower and upper end for every name of `coefficients_`.

        Raises
        ------
        ValueError
            If the law was fitted without bootstrap, or ``level`` is not between 0 and 1.
        """
        check_is_fitted(self)
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        if not self.bootstrap_coefficients_:
            raise ValueError("There are no refits: fit the law with n_bootstraps=100, for example.")
        ends = [(1 - level) / 2, (1 + level) / 2]
        return {
            name: tuple(np.quantile(values, ends).tolist())
            for name, values in self.bootstrap_coefficients_.items()
        }

    def __sklearn_is_fitted__(self):
        return hasattr(self, "coefficients_")

    def _set_coefficients(self, coefficients):
        self.coefficients_ = with_allocation(self._form, coefficients)
        for name, value in self.coefficients_.items():
            setattr(self, f"{name}_", value)
