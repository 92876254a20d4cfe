"""PotentialPhysics: crystals in, what a pre-trained potential computes of them out."""

import warnings
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from numbers import Integral, Real
from os import PathLike

import numpy as np
import torch
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from .._compat import Interval, StrOptions
from ..crystals.crystal import Crystal
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, each, full_key, warn_notes
from ..training.devices import choose_device
from .calculations import CalculationError, Settings, calculate_chunk
from .disk_cache import DiskCache
from .force_fields import FORCE_FIELDS, load_force_field
from .local_weights import find_weights
from .physics_columns import COLUMNS

_CHUNK = 4  # crystals that travel to a worker at a time


class PotentialPhysics(CrystalTransformer):
    """Turn crystals into phonons, elastic moduli and energies that a potential computes.

    A potential that was trained on energies and forces of many crystals stands in for density
    functional theory: atoms are displaced and cells are strained a little, and its forces and
    stresses say how stiff the crystal is. Nothing is trained; trees on these numbers learn by how
    much the potential is wrong.

    Parameters
    ----------
    potential : {"chgnet", "sevennet-0", "sevennet-l3i5", "sevennet-mf-0", "m3gnet", "tensornet", \
            "mace"}, default="chgnet"
        CHGNet 0.3.0, SevenNet-0 of July 2024, SevenNet-l3i5 of December 2024, which is the best
        and slowest of them, or SevenNet-MF-0 for PBE. Their packages contain the weights:
        ``pip install 'sklearn-cloud[chgnet]'`` or ``'sklearn-cloud[sevennet]'``. The others read
        `weights`: M3GNet and TensorNet with ``'sklearn-cloud[matgl]'``, MACE with
        ``'sklearn-cloud[mace]'``.
    properties : sequence of str, default=("energy", "phonons", "moduli")
        The groups of columns, in this order:

        - `"energy"`: energy (eV/atom), largest residual force (eV/angstrom) and pressure (GPa) of
          the crystal as it is given;
        - `"phonons"`: ten numbers of the optical modes at the zone centre (1/cm; a negative
          frequency stands for an imaginary one) and of single atoms while all others are fixed;
        - `"zone"`: frequencies of the whole Brillouin zone, for cells of up to five atoms;
        - `"moduli"`: bulk and shear modulus (GPa), averaged after Voigt and after Reuss, where
          the atoms follow the strain of the cell;
        - `"relaxed_moduli"`: the same where the atoms then move to where their energy is least.
    weights : str or path, default=None
        Where the weights of `"m3gnet"`, `"tensornet"` or `"mace"` are; None looks into the
        environment variable `SKLEARN_CLOUD_M3GNET`, `SKLEARN_CLOUD_TENSORNET` or
        `SKLEARN_CLOUD_MACE`. See :ref:`guide/physics:Potentials`.
    trust_weights : bool, default=False
        Whether a pickle may be read as weights, which **can run any code**: models of MACE are
        pickles.
    displacement : float, default=0.01
        How far an atom is displaced, in angstrom.
    strain : float, default=0.01
        Norm of the strains.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom. The primitive cell is
        computed, its sites moved by less than this to where symmetry has them.
    cache : str or path, default=None
        Folder in which results are kept and looked up, by the content of the crystal, the
        settings, and name and version of the potential. None keeps nothing.
    batch_size : int, default=64
        Most atoms that the potential computes at a time; a graphics card wants thousands.
    device : str or torch.device, default=None
        Where to compute; None is CUDA where there is one, else the CPU.
    n_jobs : int, default=None
        Number of joblib workers; None is 1 unless in a `joblib.parallel_config` context.
    verbose : int, default=0
        Above 0 shows a progress bar.

    Warns
    -----
    UserWarning
        If crystals could not be computed, and their rows are NaN: because they are disordered,
        have an element that the potential does not know, or it failed or diverged.

    See Also
    --------
    PotentialFeatures : The vectors of the atoms in the last layer of a potential.
    sklearn_cloud.baselines.PhysicsTreesRegressor : Trees on these numbers and others.

    Notes
    -----
    Phonons come from finite displacements [1]_ in the primitive cell, reduced by symmetry; the
    long-range field that splits polar modes is left out. Stiffness is the derivative of the stress
    by the strain, from one to six strains, as symmetry demands, forwards and backwards. The
    crystal is computed as it is given; where the potential would have it otherwise, modes may be
    imaginary. Numbers are rounded to 0.001 eV, eV/angstrom and GPa (energy) or 0.1 1/cm and GPa
    (others): which crystals share a batch moves them by less.

    CHGNet, SevenNet and M3GNet were trained on the Materials Project [2]_ [3]_: energies from there
    are no test of them.

    References
    ----------
    .. [1] A. Togo and I. Tanaka, "First principles phonon calculations in materials science",
       Scr. Mater. 108, 1 (2015).
    .. [2] B. Deng et al., "CHGNet as a pretrained universal neural network potential for
       charge-informed atomistic modelling", Nat. Mach. Intell. 5, 1031 (2023).
    .. [3] Y. Park, J. Kim, S. Hwang, S. Han, "Scalable parallel algorithm for graph neural
       network interatomic potentials in molecular dynamics simulations", J. Chem. Theory Comput.
       20, 4857 (2024).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.features import PotentialPhysics
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> PotentialPhysics(properties=["energy"]).fit_transform([cscl]).shape  # doctest: +SKIP
    (1, 3)
    """

    _parameter_constraints = {
        "potential": [StrOptions(set(FORCE_FIELDS))],
        "properties": [Sequence],
        "weights": [str, PathLike, None],
        "trust_weights": ["boolean"],
        "displacement": [Interval(Real, 0, 0.2, closed="right")],
        "strain": [Interval(Real, 0, 0.1, closed="right")],
        "symprec": [Interval(Real, 0, 1, closed="right")],
        "cache": [str, PathLike, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        potential="chgnet",
        *,
        properties=("energy", "phonons", "moduli"),
        weights=None,
        trust_weights=False,
        displacement=0.01,
        strain=0.01,
        symprec=0.01,
        cache=None,
        batch_size=64,
        device=None,
        n_jobs=None,
        verbose=0,
    ):
        self.potential = potential
        self.properties = properties
        self.weights = weights
        self.trust_weights = trust_weights
        self.displacement = displacement
        self.strain = strain
        self.symprec = symprec
        self.cache = cache
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the parameters and load the potential; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Only its kind is looked at.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        FileNotFoundError
            If there are no weights; the message says which, and where to put them.
        ImportError
            If a package is not installed; the message says how to install it.
        OSError
            If the cache folder cannot be written.
        TypeError, ValueError
            If `X` is not a collection of crystals, or a parameter is invalid.
        """
        self._check()
        as_items(X)
        return self

    def transform(self, X):
        """Compute each crystal, or look it up.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals, as `SymmetryStringTransformer` takes them; formulas are not enough.

        Returns
        -------
        ndarray of shape (n_crystals, n_features), float64
            NaN in the rows of crystals that could not be computed. A DataFrame after
            `set_output(transform="pandas")`.

        Raises
        ------
        FileNotFoundError
            If there are no weights; the message says which, and where to put them.
        ImportError
            If a package is not installed; the message says how to install it.
        OSError
            If the cache folder cannot be written.
        TypeError, ValueError
            If an item is not a crystal, or a file of the cache is damaged.
        """
        self._check()
        rows = compute_rows(as_items(X), partial(each, _check_structure), key=full_key)
        warn_notes(rows)
        results = self._calculate(rows.results)
        missing = np.full(len(self.get_feature_names_out()), np.nan)
        table = [missing if isinstance(r, CalculationError) else self._numbers(r) for r in results]
        _report([(row, results[place]) for row, place in enumerate(rows.places)])
        return np.array(table)[rows.places]

    def get_feature_names_out(self, input_features=None):
        """Names of the numbers, after that of the potential.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        return np.array([f"{self.potential} {name}" for name in self.column_names()], dtype=object)

    def column_names(self):
        """Names of the numbers, without that of the potential.

        Returns
        -------
        list of str
        """
        self._check_properties()
        return [name for group in self.properties for name in COLUMNS[group].names]

    def _check_properties(self):
        wrong = [group for group in self.properties if group not in COLUMNS]
        if wrong or isinstance(self.properties, str) or not self.properties:
            raise ValueError(
                f"properties must be a list of some of {list(COLUMNS)}, got {self.properties!r}"
            )

    def _check(self):
        self._validate_params()
        self._check_properties()
        if "force_constants" in self._needed() and find_spec("phonopy") is None:
            raise ImportError(
                "phonons need phonopy, which is not installed: pip install 'sklearn-cloud[physics]'"
            )
        load_force_field(*self._loading())
        if self.cache is not None:
            DiskCache(self.cache).check()

    def _loading(self):
        """What `load_force_field` takes."""
        weights = find_weights(self.potential, self.weights, self.trust_weights)
        return self.potential, str(choose_device(self.device)), weights

    def _needed(self):
        return list(dict.fromkeys(n for group in self.properties for n in COLUMNS[group].needs))

    def _numbers(self, results):
        return np.concatenate([COLUMNS[group].numbers(results) for group in self.properties])

    def _calculate(self, crystals):
        keys = [crystal.key for crystal in crystals]
        options = {
            "names": self._needed(),
            "settings": Settings(self.displacement, self.strain, self.symprec),
            "cache": None if self.cache is None else DiskCache(self.cache),
            "batch_size": self.batch_size,
        }
        # Large ones first, so that no worker is left with them at the end; in an order of their
        # own, so that the same crystals are computed together whatever the order of the rows.
        order = sorted(range(len(crystals)), key=lambda i: (-len(crystals[i].kinds), keys[i]))
        chunks = [order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK)]
        potential = self._loading()
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        answers = parallel(
            delayed(calculate_chunk)([crystals[i] for i in chunk], potential, options)
            for chunk in chunks
        )
        results = [None] * len(crystals)
        with tqdm(total=len(crystals), disable=not self.verbose, unit="crystal") as bar:
            for chunk, answer in zip(chunks, answers, strict=True):
                for place, result in zip(chunk, answer, strict=True):
                    results[place] = result
                bar.update(len(chunk))
        return results


def _check_structure(crystal):
    if not isinstance(crystal, Crystal):
        raise ValueError(
            f"a potential needs a crystal structure, got only the composition "
            f"{dict(crystal.amounts)}: pass a Structure, Atoms or CIF file"
        )
    return crystal


def _report(results):
    """One warning that names the rows without physics."""
    failed = [(row, error) for row, error in results if isinstance(error, CalculationError)]
    if not failed:
        return
    reasons = "; ".join(f"row {row}: {error}" for row, error in failed[:5])
    warnings.warn(
        f"{len(failed)} of {len(results)} crystals were not computed, and their rows are NaN: "
        f"rows {[row for row, _ in failed]}. {reasons}",
        stacklevel=3,
    )
