"""PotentialFeatures: features of crystals from a pre-trained interatomic potential."""

from functools import partial
from numbers import Integral
from os import PathLike

import numpy as np
import torch
from tqdm.auto import tqdm

from .._compat import Interval, StrOptions
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.errors import CrystalError
from ..crystals.items import as_items
from ..crystals.rows import (
    compute_rows,
    each,
    full_key,
    need_structure,
    warn_errors,
    warn_notes,
)
from ..training.devices import choose_device
from .local_weights import find_weights
from .potential_adapters import POTENTIALS, load_potential


class PotentialFeatures(CrystalTransformer):
    """Transform crystals to features of a pre-trained interatomic potential.

    A potential trained on energies and forces of many crystals describes each atom by a vector
    before it sums their energies. The features are the mean of these vectors over the atoms, or the
    energy only. Nothing is trained; use the features with any scikit-learn regressor.

    Parameters
    ----------
    potential : {"chgnet", "sevennet", "sevennet-l3i5", "sevennet-mf-0", "m3gnet", "tensornet", \
            "mace"}, default="chgnet"
        `"chgnet"` is CHGNet 0.3.0 (64 features), `"sevennet"` SevenNet-0 of July 2024,
        `"sevennet-l3i5"` its larger successor, `"sevennet-mf-0"` SevenNet-MF-0 for PBE (128 each).
        Their packages contain the weights: ``pip install 'sklearn-cloud[chgnet]'`` or
        ``'sklearn-cloud[sevennet]'``. The others read `weights`: M3GNet and TensorNet with
        ``'sklearn-cloud[matgl]'``, MACE with ``'sklearn-cloud[mace]'``.
    quantity : {"vectors", "energy"}, default="vectors"
        `"vectors"` is the mean of the atoms' vectors, `"energy"` one column with the energy in
        eV/atom of the crystal, without relaxation. The energy of CHGNet includes the corrections of
        the Materials Project to density functional theory, that of SevenNet does not.
    weights : str or path, default=None
        Where the weights of `"m3gnet"`, `"tensornet"` or `"mace"` are; None looks into the
        environment variable `SKLEARN_CLOUD_M3GNET`, `SKLEARN_CLOUD_TENSORNET` or
        `SKLEARN_CLOUD_MACE`. See :ref:`guide/physics:Potentials`.
    trust_weights : bool, default=False
        Whether a pickle may be read as weights, which **can run any code**: models of MACE are
        pickles.
    batch_size : int, default=16
        Number of distinct crystals per batch.
    device : str or torch.device, default=None
        Where to compute; None is CUDA where there is one, else the CPU.
    on_error : {"raise", "warn"}, default="raise"
        What happens with rows that cannot be described, such as disordered crystals: `"raise"`
        names them all in one error; `"warn"` names them in a warning, and their numbers are NaN.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    PotentialEnergyRegressor : Formation energies from the energies of a potential.
    sklearn_cloud.CloudEmbedder : Vectors of an encoder of symmetry and composition only.

    Notes
    -----
    Equal crystals are computed once and get equal rows, in any order; `batch_size` and the other
    crystals in a batch change a row only by rounding. The features are invariant under the choice
    of the cell and the order of the sites. CHGNet, SevenNet and M3GNet were trained on relaxation
    paths of the Materials Project [1]_ [2]_ [3]_, so they may have seen crystals of a benchmark
    that was drawn from there, though not its targets unless these are energies. Potentials read
    ordered crystals only.

    References
    ----------
    .. [1] B. Deng et al., "CHGNet as a pretrained universal neural network potential for
       charge-informed atomistic modelling", Nat. Mach. Intell. 5, 1031 (2023).
    .. [2] Y. Park, J. Kim, S. Hwang, S. Han, "Scalable parallel algorithm for graph neural
       network interatomic potentials in molecular dynamics simulations", J. Chem. Theory Comput.
       20, 4857 (2024).
    .. [3] C. Chen and S. P. Ong, "A universal graph deep learning interatomic potential for the
       periodic table", Nat. Comput. Sci. 2, 718 (2022).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud.features import PotentialFeatures
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = make_pipeline(PotentialFeatures("chgnet"), ExtraTreesRegressor(random_state=0))
    >>> model.fit(cells, [1.0, 2.0]).predict(cells)  # doctest: +SKIP
    array([1., 2.])
    """

    def __init__(
        self,
        potential="chgnet",
        *,
        quantity="vectors",
        weights=None,
        trust_weights=False,
        batch_size=16,
        device=None,
        on_error="raise",
        verbose=0,
    ):
        self.potential = potential
        self.quantity = quantity
        self.weights = weights
        self.trust_weights = trust_weights
        self.batch_size = batch_size
        self.device = device
        self.on_error = on_error
        self.verbose = verbose

    _parameter_constraints = {
        "potential": [StrOptions(set(POTENTIALS))],
        "weights": [str, PathLike, None],
        "trust_weights": ["boolean"],
        "quantity": [StrOptions({"vectors", "energy"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device, None],
        "on_error": [StrOptions({"raise", "warn"})],
        "verbose": ["verbose"],
    }

    def fit(self, X, y=None):
        """Check the parameters and load the potential.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals; only the type of the collection is checked.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        FileNotFoundError
            If there are no weights; the message says which, and where to put them.
        ImportError
            If the package of the potential is not installed.
        TypeError, ValueError
            If `X` is not a collection of crystals, or a parameter is invalid.
        """
        self._load()
        as_items(X)
        return self

    def transform(self, X):
        """Return the mean vector of the atoms, or the energy per atom.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals, as for `SymmetryStringTransformer`, but not formulas.

        Returns
        -------
        ndarray of shape (n_crystals, n_features), float32
            A single column where `quantity` is "energy". NaN in the rows that `on_error="warn"`
            passed over.

        Raises
        ------
        ImportError
            If the package of the potential is not installed.
        TypeError, ValueError
            If items are not ordered crystals of elements supported by the potential; the message
            lists their rows.
        """
        potential = self._load()
        check = partial(_check_ordered, elements=frozenset(potential.elements))
        on_error = "raise" if self.on_error == "raise" else "keep"
        rows = compute_rows(as_items(X), partial(each, check), key=full_key, on_error=on_error)
        warn_notes(rows)
        warn_errors(rows, "their numbers are NaN")
        crystals, keys = rows.results, rows.keys
        order = sorted(range(len(keys)), key=lambda i: (len(crystals[i].kinds), keys[i]))
        n_columns = len(self.get_feature_names_out())
        table = np.full((len(rows.places), n_columns), np.nan, dtype=np.float32)
        good = rows.places >= 0
        if good.any():
            features = self._compute(potential, [crystals[i] for i in order])
            table[good] = features[np.argsort(order)[rows.places[good]]]
        return table

    def get_feature_names_out(self, input_features=None):
        """Return names: the potential and a number, or "_energy".

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        n_features = self._load().n_features
        names = ["_energy"] if self.quantity == "energy" else map(str, range(n_features))
        return np.array([self.potential + name for name in names], dtype=object)

    def _load(self):
        self._validate_params()
        weights = find_weights(self.potential, self.weights, self.trust_weights)
        return load_potential(self.potential, choose_device(self.device), weights)

    def _compute(self, potential, crystals):
        rows = []
        with tqdm(total=len(crystals), disable=not self.verbose, unit="crystal") as bar:
            for start in range(0, len(crystals), self.batch_size):
                batch = crystals[start : start + self.batch_size]
                vectors, energies = potential.compute(batch)
                rows.append(vectors if self.quantity == "vectors" else energies[:, None])
                bar.update(len(batch))
        return np.concatenate(rows).astype(np.float32)


def _check_ordered(crystal, elements):
    need_structure(crystal, "a potential")
    for site, kind in enumerate(crystal.kinds):
        species = crystal.species[kind]
        if len(species) > 1 or species[0][1] < 0.999:
            raise CrystalError(
                f"site {site} is disordered, {dict(species)}, but a potential needs an ordered "
                f"crystal: use pymatgen's OrderDisorderedStructureTransformation"
            )
        if species[0][0] not in elements:
            raise CrystalError(
                f"site {site} contains {species[0][0]}, which the potential does not support; "
                f"remove this crystal"
            )
    return crystal
