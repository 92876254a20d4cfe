"""MACE of the package mace-torch, from a file with a model.

The format is a pickle of the whole model, which `torch.load` cannot read with `weights_only`: it
contains generated code. `find_weights` asks for the user's word first.
"""

import io
import os
import warnings
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version

import numpy as np
import torch

from ..crystals.neighbours import find_neighbours
from .elements import atomic_numbers
from .frames import Response, frames_of
from .local_weights import content_tag

_ANY_PICKLE = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


class MACEPotential:
    """A model of MACE, and batches of crystals for it.

    Parameters
    ----------
    device : str
    weights : str
        File with a model.
    """

    package, extra = "mace-torch>=0.3.13", "mace"

    def __init__(self, device, weights):
        self.model = _load(weights, device)
        self.model.requires_grad_(False)  # the gradient by the positions is enough
        self.device = device
        self.cutoff = float(self.model.r_max)
        known = self.model.atomic_numbers.tolist()
        self.elements = {e: n for e, n in atomic_numbers().items() if n in known}
        self._places = np.full(max(known) + 1, -1)
        self._places[known] = np.arange(len(known))
        self.tag = f"mace-{content_tag(weights)}_mace-torch-{version('mace-torch')}"

    def _run(self, frames, forces):
        return self.model(self._batch(frames), compute_force=forces, compute_stress=forces)

    def _batch(self, frames):
        sizes = np.array([len(frame.numbers) for frame in frames])
        starts = np.cumsum(sizes) - sizes
        points = [np.mod(frame.positions, 1.0) @ frame.lattice for frame in frames]
        found = [
            find_neighbours(p, f.lattice, self.cutoff) for p, f in zip(points, frames, strict=True)
        ]
        pairs = [np.array([f.centers, f.neighbors]) + s for f, s in zip(found, starts, strict=True)]
        shifts = [f.images @ frame.lattice for f, frame in zip(found, frames, strict=True)]
        kinds = self._places[np.concatenate([frame.numbers for frame in frames])]
        columns = len(self.model.atomic_numbers)
        batch = {
            "edge_index": torch.as_tensor(np.hstack(pairs)).long(),
            "batch": torch.as_tensor(np.repeat(np.arange(len(frames)), sizes)),
            "ptr": torch.as_tensor(np.append(starts, sizes.sum())),
        }
        numbers = {
            "positions": np.vstack(points),
            "node_attrs": np.eye(columns)[kinds],
            "shifts": np.vstack(shifts),
            "unit_shifts": np.vstack([f.images for f in found]),
            "cell": np.vstack([frame.lattice for frame in frames]),
        }
        dtype = next(self.model.parameters()).dtype
        batch |= {name: torch.as_tensor(table, dtype=dtype) for name, table in numbers.items()}
        return {name: tensor.to(self.device) for name, tensor in batch.items()}


class MACEFeatures(MACEPotential):
    """Invariant components of the vectors of the atoms, from all layers, and energies."""

    def __init__(self, device, weights):
        super().__init__(device, weights)
        self._invariant = np.concatenate([_scalars(p) for p in self.model.products])
        self.n_features = int(self._invariant.sum())

    def compute(self, crystals):
        """Return the means of the vectors of the atoms, and energies in eV/atom.

        Returns
        -------
        vectors : ndarray of shape (n_crystals, n_features)
        energies : ndarray of shape (n_crystals,)
        """
        frames = frames_of(crystals, self.elements)
        found = self._run(frames, forces=False)
        sizes = [len(frame.numbers) for frame in frames]
        vectors = found["node_feats"].detach().cpu().numpy()[:, self._invariant]
        parts = np.split(vectors, np.cumsum(sizes)[:-1])
        energies = found["energy"].detach().cpu().double().numpy()
        return np.array([part.mean(axis=0) for part in parts]), energies / np.array(sizes)


class MACEForces(MACEPotential):
    """Energies, forces and stresses."""

    def compute(self, frames):
        """Responses of the frames, in one batch."""
        found = self._run(frames, forces=True)
        energies, forces, stresses = (
            found[name].detach().cpu().double().numpy() for name in ("energy", "forces", "stress")
        )
        ends = np.cumsum([len(frame.numbers) for frame in frames])
        parts = np.split(forces, ends[:-1])
        return [Response(*one) for one in zip(energies, parts, stresses, strict=True)]


def _scalars(product):
    """Which components of the features of a layer are invariant."""
    irreps = product.linear.irreps_out
    return np.concatenate([np.full(irrep.dim, irrep.ir.l == 0) for irrep in irreps])


def _load(file, device):
    _import_mace()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript
        model = torch.load(file, map_location=device, weights_only=False)
    if not isinstance(model, torch.nn.Module) or not hasattr(model, "r_max"):
        raise ValueError(f"{file!r} contains no model of MACE, but {type(model)}")
    return model.to(device).eval()


def _import_mace():
    """Import MACE, which would have every later `torch.load` of this process read any pickle."""
    before = os.environ.get(_ANY_PICKLE)
    # e3nn 0.4.4, which mace-torch wants, reads a table of its own that holds slices.
    with (
        torch.serialization.safe_globals([slice]),
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),  # which kernels it lacks
        redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")  # of that table, and of TorchScript
        import mace.modules  # noqa: F401
    if before is None:
        os.environ.pop(_ANY_PICKLE, None)
    else:
        os.environ[_ANY_PICKLE] = before
