"""The fit of a scaling law to the logarithms of sizes and losses."""

import warnings
from itertools import product

import numpy as np
from scipy.optimize import minimize as scipy_minimize
from scipy.special import huber
from sklearn.exceptions import ConvergenceWarning

_GRID = (0.1, 0.5, 1.0, 2.0)  # exponents of the starts
_SAME = 1e-6  # difference of two minima that are one
_ON_A_LINE = 1e-6  # ratio of the spreads across and along
_SILENT = 1e-6  # change of every log loss below which a coefficient has no effect


def starting_points(form, log_sizes, log_loss):
    """One start for every pair of exponents on a grid."""
    return [form.start(*pair, log_sizes, log_loss) for pair in product(_GRID, repeat=2)]


def minimize(form, log_sizes, log_loss, starts, delta, max_iter):
    """Minimise the Huber loss of the log losses (equation 3) with L-BFGS.

    Returns
    -------
    scipy.optimize.OptimizeResult
        Of the start that ended lowest.
    """

    def objective(parameters):
        predicted, gradient = form.log_loss(parameters, log_sizes)
        errors = predicted - log_loss
        # divided by delta: of order one, whatever delta is
        value = huber(delta, errors).sum() / delta
        return value, np.clip(errors / delta, -1, 1) @ gradient

    options = {"maxiter": max_iter, "maxfun": 10 * max_iter, "ftol": 1e-12, "gtol": 1e-6}

    found = [
        scipy_minimize(
            objective, start, jac=True, method="L-BFGS-B", bounds=form.bounds, options=options
        )
        for start in starts
    ]
    best = min(found, key=lambda result: result.fun)
    # a line search may fail at a kink of the loss, where other starts converge to the same point
    same = [result for result in found if result.fun <= best.fun + _SAME]
    best = min(same, key=lambda result: (not result.success, result.fun))
    best.fun *= delta
    return best


def undetermined(form, parameters, log_sizes):
    """Names of the coefficients that the losses say nothing about.

    Those are at the end of their range, or change nothing in any loss.
    """
    _, gradient = form.log_loss(parameters, log_sizes)
    silent = np.abs(gradient).max(axis=0) < _SILENT
    at_limit = np.isclose(parameters[:, None], form.bounds).any(axis=1)
    return np.array(form.names)[silent | at_limit].tolist()


def on_a_line(log_sizes):
    """Whether log D is a linear function of log N, as with a fixed number of tokens per weight."""
    along, across = np.linalg.svd(log_sizes - log_sizes.mean(axis=0), compute_uv=False)
    return bool(across < _ON_A_LINE * along)


def warn_if_uncertain(form, best, log_sizes):
    """Issue a ConvergenceWarning if the result is not a minimum, or the losses leave it open."""
    names = undetermined(form, best.x, log_sizes)
    if not best.success:
        reason = f"L-BFGS did not converge ({best.message}); increase max_iter"
    elif on_a_line(log_sizes):
        reason = (
            "D is a power of N in all rows: the losses do not tell the effect of the model from "
            "that of the data. Do not use this law for other pairs; vary N and D independently"
        )
    elif names == ["E"]:
        reason = (
            "E is at its lower bound, 0: the losses do not show the loss of an infinite model on "
            "infinite data. Do not extrapolate this law; add larger models and data sets"
        )
    elif names:
        reason = (
            f"The losses do not determine {', '.join(names)}; add smaller and larger models and "
            "data sets"
        )
    else:
        return
    warnings.warn(f"{reason}. The best law found is kept.", ConvergenceWarning, stacklevel=5)


def bootstrap(form, solution, log_sizes, log_loss, n_refits, rng, *, delta, max_iter):
    """Refit to rows drawn with replacement, from the solution.

    Draws that do not determine the law are drawn again.

    Yields
    ------
    ndarray
        Parameters of each refit.
    """
    for _ in range(n_refits):
        rows = rng.randint(len(log_loss), size=len(log_loss))
        while not _determine(form, rows, log_sizes):
            rows = rng.randint(len(log_loss), size=len(log_loss))
        yield minimize(form, log_sizes[rows], log_loss[rows], [solution], delta, max_iter).x


def _determine(form, rows, log_sizes):
    """Whether there are as many different rows as coefficients, and enough different sizes."""
    enough = len(np.unique(rows)) >= len(form.names)
    return enough and all(len(np.unique(s)) >= form.min_sizes for s in log_sizes[rows].T)
