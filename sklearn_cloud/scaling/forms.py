"""The two forms of a scaling law.

A vector of parameters describes a law at sizes that are divided by their geometric mean, which
keeps the minimisation well conditioned.
"""

import numpy as np
from scipy.optimize import lsq_linear

_EXPONENTS = (0.01, 5.0)  # their range
_LOGARITHMS = (-300.0, 300.0)  # that of the other parameters
_SMALLEST = 1e-6  # weight of a term in a start, at least, as a share of the largest


class Hoffmann:
    """L = A / N**alpha + B / D**beta + E; the parameters are log A, log B, log E, alpha, beta."""

    names = ("A", "B", "E", "alpha", "beta")
    min_sizes = 3  # two losses determine the difference of a power law, not its exponent
    bounds = [_LOGARITHMS] * 3 + [_EXPONENTS] * 2

    @staticmethod
    def log_loss(parameters, log_sizes):
        """Log losses of shape (n,) and their gradient of shape (n, 5)."""
        a, b, e, alpha, beta = parameters
        n, d = log_sizes.T
        terms = np.stack([a - alpha * n, b - beta * d, np.full_like(n, e)], axis=1)
        total = np.logaddexp.reduce(terms, axis=1)
        shares = np.exp(terms - total[:, None])
        return total, np.column_stack([shares, -n * shares[:, 0], -d * shares[:, 1]])

    @staticmethod
    def start(alpha, beta, log_sizes, log_loss):
        """Parameters for given exponents, from non-negative least squares of relative errors."""
        n, d = log_sizes.T
        terms = np.stack([np.exp(-alpha * n), np.exp(-beta * d), np.ones_like(n)], axis=1)
        return [*_log_weights(terms, log_loss), alpha, beta]

    @staticmethod
    def coefficients(parameters, center):
        """Coefficients by name, for sizes as they are."""
        a, b, e, alpha, beta = map(float, parameters)
        A, B = np.exp([a + alpha * center[0], b + beta * center[1]]).tolist()
        return {"A": A, "B": B, "E": float(np.exp(e)), "alpha": alpha, "beta": beta}

    @staticmethod
    def loss(coefficients, N, D):
        c = coefficients
        return c["A"] / N ** c["alpha"] + c["B"] / D ** c["beta"] + c["E"]

    @staticmethod
    def power_laws(coefficients):
        """A, B, alpha, beta of the two terms that a compute budget is divided between."""
        return tuple(coefficients[name] for name in ("A", "B", "alpha", "beta"))


class Kaplan:
    """L = ((N_c / N)**s + D_c / D)**alpha_D with s = alpha_N / alpha_D.

    The parameters are log N_c, log D_c, s and alpha_D.
    """

    names = ("N_c", "D_c", "alpha_N", "alpha_D")
    min_sizes = 2
    bounds = [_LOGARITHMS] * 2 + [_EXPONENTS] * 2

    @staticmethod
    def log_loss(parameters, log_sizes):
        """Log losses of shape (n,) and their gradient of shape (n, 4)."""
        n_c, d_c, s, alpha_D = parameters
        n, d = n_c - log_sizes[:, 0], d_c - log_sizes[:, 1]
        total = np.logaddexp(s * n, d)
        of_model, of_data = alpha_D * np.exp([s * n - total, d - total])
        return alpha_D * total, np.column_stack([s * of_model, of_data, n * of_model, total])

    @staticmethod
    def start(s, alpha_D, log_sizes, log_loss):
        """Parameters for given exponents, from non-negative least squares of relative errors."""
        n, d = log_sizes.T
        terms = np.stack([np.exp(-s * n), np.exp(-d)], axis=1)
        p, d_c = _log_weights(terms, log_loss / alpha_D)
        return [p / s, d_c, s, alpha_D]

    @staticmethod
    def coefficients(parameters, center):
        """Coefficients by name, for sizes as they are."""
        n_c, d_c, s, alpha_D = map(float, parameters)
        N_c, D_c = np.exp([n_c + center[0], d_c + center[1]]).tolist()
        return {"N_c": N_c, "D_c": D_c, "alpha_N": s * alpha_D, "alpha_D": alpha_D}

    @staticmethod
    def loss(coefficients, N, D):
        c = coefficients
        s = c["alpha_N"] / c["alpha_D"]
        return ((c["N_c"] / N) ** s + c["D_c"] / D) ** c["alpha_D"]

    @staticmethod
    def power_laws(coefficients):
        """As for the other form: the sum in the brackets decides."""
        s = coefficients["alpha_N"] / coefficients["alpha_D"]
        return coefficients["N_c"] ** s, coefficients["D_c"], s, 1.0


FORMS = {"hoffmann": Hoffmann, "kaplan": Kaplan}


def _log_weights(terms, log_loss):
    """Logarithms of the weights whose sum of terms has the smallest relative errors."""
    # nnls of scipy 1.13 fails where the terms are proportional to each other
    relative = terms / np.exp(log_loss)[:, None]
    weights = lsq_linear(relative, np.ones(len(terms)), (0, np.inf), method="bvls").x
    return np.log(np.maximum(weights, _SMALLEST * weights.max())).tolist()


def with_allocation(form, coefficients):
    """The coefficients with a, b and G of equation 5."""
    A, B, alpha, beta = form.power_laws(coefficients)
    total = alpha + beta
    with np.errstate(over="ignore"):  # where the losses do not determine the law
        G = float(np.power(alpha * A / (beta * B), 1 / total))
    return coefficients | {"a": beta / total, "b": alpha / total, "G": G}
