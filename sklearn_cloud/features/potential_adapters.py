"""Pre-trained interatomic potentials with a common interface.

`elements` are the supported symbols, `n_features` the length of an atom's vector, and `compute`
takes a list of ordered crystals. `package` is the required package.
"""

import io
import warnings
from contextlib import redirect_stdout
from functools import cache

import numpy as np
import torch

from .elements import atomic_numbers


@cache
def load_potential(name, device):
    """Return the potential of this name, loaded once.

    Raises
    ------
    ImportError
        If its package is not installed.
    ValueError
        If its package does not contain weights.
    """
    if name in WITHOUT_WEIGHTS:
        raise ValueError(
            f"potential={name!r} cannot be used: {WITHOUT_WEIGHTS[name]} contains no weights. Use "
            f"one of {sorted(POTENTIALS)}"
        )
    try:
        return POTENTIALS[name](device)
    except ModuleNotFoundError as error:
        package = POTENTIALS[name].package
        raise ImportError(
            f"potential={name!r} requires {package} ({error}): pip install 'sklearn-cloud[{name}]'"
        ) from error


class CHGNet:
    """CHGNet 0.3.0 of the package chgnet, whose wheel contains the weights."""

    package = "chgnet>=0.4.2"
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

    package = "sevenn>=0.13"
    n_features = 128

    def __init__(self, device):
        from sevenn.util import load_checkpoint

        checkpoint = load_checkpoint("7net-0_11Jul2024")
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
        result = self.model(AtomGraphData.from_numpy_dict(graph).to(self.device))
        energy = float(result.inferred_total_energy) / len(atoms)
        return self.vectors.mean(dim=0).cpu().numpy(), energy


POTENTIALS = {"chgnet": CHGNet, "sevennet": SevenNet}
#: Packages and versions that were checked.
WITHOUT_WEIGHTS = {"mace": "mace-torch 0.3.16", "m3gnet": "matgl 4.1.2"}
