"""Asymmetric unit of a crystal: one site of each orbit stands for all of them."""

from typing import NamedTuple

import numpy as np

from ..crystals.crystal import Crystal
from .search import search_settings


class AsymmetricUnit(NamedTuple):
    """A crystal in its standard setting, and the orbit of each of its sites.

    Attributes
    ----------
    crystal : Crystal
        Reduced cell without exact repetitions, see `standard_setting`.
    orbits : ndarray of shape (n_sites,), int
        Number of the orbit of each site, counted from 0 in the order of their first sites.
    sites : ndarray of shape (n_orbits,), int
        First site of each orbit.
    multiplicities : ndarray of shape (n_orbits,), int
        Sites of each orbit in the cell.
    """

    crystal: Crystal
    orbits: np.ndarray
    sites: np.ndarray
    multiplicities: np.ndarray


def find_asymmetric_unit(crystal, symprec):
    """Find the orbits of a crystal and a site of each.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Distance within which sites count as equivalent, in angstrom.

    Returns
    -------
    AsymmetricUnit

    Raises
    ------
    CrystalError
        If no space group is found, not even P1.
    """
    (found,) = search_settings([crystal], symprec)
    if isinstance(found, ValueError):
        raise found
    finding, setting, _ = found
    sites, orbits, counts = np.unique(finding.orbits, return_inverse=True, return_counts=True)
    return AsymmetricUnit(setting, orbits, sites, counts)
