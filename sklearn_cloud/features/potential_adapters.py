"""Pre-trained interatomic potentials with a common interface.

`elements` are the supported symbols, `n_features` the length of an atom's vector, and `compute`
takes a list of ordered crystals. `package` is the required package, `extra` that of this library.
"""

import io
import warnings
from contextlib import redirect_stdout
from functools import cache

import numpy as np
import torch

from .elements import atomic_numbers
from .mace_potentials import MACEFeatures
from .matgl_potentials import M3GNetFeatures, TensorNetFeatures


@cache
def load_potential(name, device, weights=None):
    """Return the potential of this name, loaded once.

    Parameters
    ----------
    name, device : str
    weights : str, default=None
        From `find_weights`.

    Raises
    ------
    ImportError
        If its package is not installed.
    """
    kind = POTENTIALS[name]
    try:
        return kind(device) if weights is None else kind(device, weights)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"potential={name!r} requires {kind.package} ({error}): "
            f"pip install 'sklearn-cloud[{kind.extra}]'"
        ) from error


class CHGNet:
    """CHGNet 0.3.0 of the package chgnet, whose wheel contains the weights."""

    package, extra = "chgnet>=0.4.2", "chgnet"
    n_features = 64

    def __init__(self, device):
        from chgnet.model import CHGNet as Model

        with redirect_stdout(io.StringIO()):  # it prints its version
            self.model = Model.load(use_device=device, verbose=False)
        self.model.graph_converter.set_isolated_atom_response("ignore")
        self.elements = {e for e, number in atomic_numbers().items() if number <= 94}

    def compute(self, crystals):
        """Return the means of the last vectors of the atoms, and energies in eV/atom.

        Returns
        -------
        vectors : ndarray of shape (n_crystals, n_features)
        energies : ndarray of shape (n_crystals,)
        """
        from pymatgen.core import Structure

        structures = [
            Structure(c.lattice, [c.species[kind][0][0] for kind in c.kinds], c.positions)
            for c in crystals
        ]
        with warnings.catch_warnings(), torch.no_grad():
            # about tensors converted to numbers, and noble gases without an electronegativity
            warnings.simplefilter("ignore")
            predictions = self.model.predict_structure(
                structures, task="e", return_crystal_feas=True, batch_size=len(structures)
            )
        # a single row is not in a list, and rows are sums over the atoms
        predictions = predictions if isinstance(predictions, list) else [predictions]
        sums = np.array([prediction["crystal_fea"] for prediction in predictions])
        energies = np.array([float(prediction["e"]) for prediction in predictions])
        return sums / np.array([[len(c.kinds)] for c in crystals]), energies


class SevenNet:
    """SevenNet-0 (11 July 2024) of the package sevenn, whose wheel contains the weights."""

    package, extra = "sevenn>=0.13", "sevennet"
    weights, fidelity = "7net-0_11Jul2024", None
    n_features = 128

    def __init__(self, device):
        from sevenn.util import load_checkpoint

        checkpoint = load_checkpoint(self.weights)
        self.model = checkpoint.build_model().to(device).eval()
        self.model.set_is_batch_data(False)
        del self.model.force_output
        # The vectors of the atoms, before the layers that compute energies.
        self.model.reduce_input_to_hidden.register_forward_pre_hook(self._keep_vectors)
        self.cutoff, self.device = self.model.cutoff, device
        known = self.model.type_map
        self.elements = {e for e, number in atomic_numbers().items() if number in known}

    def _keep_vectors(self, _, inputs):
        self.vectors = inputs[0].x

    def compute(self, crystals):
        """Return the means of the last vectors of the atoms, and energies in eV/atom.

        Returns
        -------
        vectors : ndarray of shape (n_crystals, n_features)
        energies : ndarray of shape (n_crystals,)
        """
        computed = [self._compute(crystal) for crystal in crystals]
        return tuple(np.stack(column) for column in zip(*computed))

    @torch.no_grad()
    def _compute(self, crystal):
        from ase import Atoms
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph

        atoms = Atoms(
            [crystal.species[kind][0][0] for kind in crystal.kinds],
            cell=crystal.lattice,
            scaled_positions=crystal.positions,
            pbc=True,
        )
        graph = unlabeled_atoms_to_graph(atoms, self.cutoff, with_shift=False)
        data = AtomGraphData.from_numpy_dict(graph).to(self.device)
        if self.fidelity:
            data["data_modality"] = self.fidelity
        result = self.model(data)
        energy = float(result.inferred_total_energy) / len(atoms)
        return self.vectors.mean(dim=0).cpu().numpy(), energy


class SevenNetL3I5(SevenNet):
    """SevenNet-l3i5 (December 2024): larger, slower and better than SevenNet-0."""

    weights = "7net-l3i5"


class SevenNetMF0(SevenNet):
    """SevenNet-MF-0, trained on two functionals, of which this is PBE."""

    weights, fidelity = "7net-mf-0", "PBE"


POTENTIALS = {
    "chgnet": CHGNet,
    "sevennet": SevenNet,
    "sevennet-l3i5": SevenNetL3I5,
    "sevennet-mf-0": SevenNetMF0,
    "m3gnet": M3GNetFeatures,
    "tensornet": TensorNetFeatures,
    "mace": MACEFeatures,
}
