"""The energy that a relaxation makes small: of a potential, or of a fitted regressor."""

import warnings

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..features.local_weights import find_weights
from ..features.potential_adapters import POTENTIALS, load_potential
from ..training.devices import choose_device


def energy_function(objective, weights, trust_weights, device):
    """Function from a crystal to its energy in eV/atom, and the elements that it knows.

    Parameters
    ----------
    objective : str or estimator
    weights : str, path or None
    trust_weights : bool
    device : str, torch.device or None

    Returns
    -------
    energy : callable
    elements : set of str or None
        None where they are for the regressor to know.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If a regressor is not fitted.
    ValueError
        If there is no such potential.
    """
    if isinstance(objective, str):
        if objective not in POTENTIALS:
            raise ValueError(
                f"objective={objective!r} is not a potential: use one of {list(POTENTIALS)}, or a "
                f"fitted regressor"
            )
        path = find_weights(objective, weights, trust_weights)
        potential = load_potential(objective, choose_device(device), path)
        return lambda crystal: float(potential.compute([crystal])[1][0]), set(potential.elements)
    _check_regressor(objective)

    def energy(crystal):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same one at every trial
            return float(np.ravel(objective.predict([as_structure(crystal)]))[0])

    return energy, None


def _check_regressor(objective):
    if not hasattr(objective, "predict"):
        raise TypeError(
            f"objective must be the name of a potential or a fitted regressor of crystals, got "
            f"{objective!r}"
        )
    try:
        check_is_fitted(objective)
    except NotFittedError as error:
        raise NotFittedError(
            f"objective={objective!r} is not fitted. `clone`, and so cross-validation, takes the "
            f"fit away: wrap it in sklearn.frozen.FrozenEstimator"
        ) from error


def as_structure(crystal):
    """The pymatgen ``Structure`` of an ordered crystal."""
    from pymatgen.core import Structure

    elements = [crystal.species[kind][0][0] for kind in crystal.kinds]
    return Structure(crystal.lattice, elements, crystal.positions)
