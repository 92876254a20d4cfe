"""Energies, forces and stresses of many frames at a time from pre-trained potentials.

A potential is a class with `package` (what must be installed), `extra` (its extra of this
library) and, once made for a device, `tag` (name and version of weights and package), `elements`
({symbol: atomic number} of those that it knows) and `compute` (from a list of `Frame` to a list
of `Response`).
"""

import io
import warnings
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import version

import numpy as np
import torch

from ..crystals.neighbours import find_neighbours
from .elements import atomic_numbers
from .frames import Response
from .mace_potentials import MACEForces
from .matgl_potentials import M3GNetForces, TensorNetForces


@cache
def load_force_field(name, device, weights=None):
    """The potential of this name, loaded once in each process.

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
    kind = FORCE_FIELDS[name]
    try:
        return kind(device) if weights is None else kind(device, weights)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"potential={name!r} needs {kind.package} ({error}): "
            f"pip install 'sklearn-cloud[{kind.extra}]'"
        ) from error


class CHGNetForces:
    """CHGNet 0.3.0, whose weights come with the package."""

    package, extra = "chgnet>=0.4.2", "chgnet"
    weights = "0.3.0"
    _GPA = 160.21766208  # in eV per cubic angstrom

    def __init__(self, device):
        from chgnet.model import CHGNet

        with redirect_stdout(io.StringIO()):  # it reports its version on the screen
            self.model = CHGNet.load(model_name=self.weights, use_device=str(device), verbose=False)
        self.model.requires_grad_(False)  # the gradient by the positions is enough
        self.model.graph_converter.set_isolated_atom_response("ignore")
        self.elements = {e: n for e, n in atomic_numbers().items() if n <= 94}
        self.tag = f"chgnet-{self.weights}_chgnet-{version('chgnet')}"

    def compute(self, frames):
        """Responses of the frames, in one batch."""
        from pymatgen.core import Structure

        with warnings.catch_warnings():
            # of tensors turned into numbers and of noble gases without an electronegativity
            warnings.simplefilter("ignore")
            graphs = [
                self.model.graph_converter(Structure(f.lattice, f.numbers, f.positions))
                for f in frames
            ]
            found = self.model.predict_graph(graphs, task="efs", batch_size=len(graphs))
        found = found if isinstance(found, list) else [found]  # one alone comes without its list
        return [
            Response(
                float(one["e"]) * len(frame.numbers),
                np.asarray(one["f"], dtype=float),
                np.asarray(one["s"], dtype=float) / self._GPA,
            )
            for frame, one in zip(frames, found, strict=True)
        ]


class SevenNetForces:
    """SevenNet-0 (11 July 2024), whose weights come with the package sevenn."""

    package, extra = "sevenn>=0.13", "sevennet"
    weights, fidelity = "7net-0_11Jul2024", None

    def __init__(self, device):
        from sevenn.util import load_checkpoint

        from .sevennet_convolution import TableConvolution

        self.model = load_checkpoint(self.weights).build_model().eval()
        self.model.set_is_batch_data(True)
        self.model.eval_modal_map = False  # it wants an object of its own; see `_batch`
        self.model.requires_grad_(False)  # the gradient by the positions is enough
        for name, module in list(self.model.named_children()):
            if hasattr(module, "convolution") and torch.device(device).type == "cpu":
                self.model.replace_module(name, TableConvolution(module))
        self.model.to(device)
        self.device = device
        known = self.model.type_map
        self.elements = {e: n for e, n in atomic_numbers().items() if n in known}
        self.tag = f"{self.weights}_sevenn-{version('sevenn')}"

    def compute(self, frames):
        """Responses of the frames, in one batch."""
        found = self.model(self._batch(frames))
        energies = found["inferred_total_energy"].detach().cpu().double().numpy()
        forces = found["inferred_force"].detach().cpu().double().numpy()
        # xx, yy, zz, xy, yz, zx of the opposite sign
        xx, yy, zz, xy, yz, zx = -found["inferred_stress"].detach().cpu().double().numpy().T
        stresses = np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]).transpose(2, 0, 1)
        ends = np.cumsum([len(frame.numbers) for frame in frames])
        parts = np.split(forces, ends[:-1])
        return [Response(*one) for one in zip(energies.ravel(), parts, stresses, strict=True)]

    def _batch(self, frames):
        from .sevennet_convolution import edge_table

        sizes = np.array([len(frame.numbers) for frame in frames])
        starts = np.cumsum(sizes) - sizes
        edges = [neighbour_edges(frame, self.model.cutoff) for frame in frames]
        numbers = torch.as_tensor(np.concatenate([frame.numbers for frame in frames]))
        volumes = np.array([abs(np.linalg.det(frame.lattice)) for frame in frames])
        index = np.hstack([ends + start for (ends, _), start in zip(edges, starts, strict=True)])
        pairs = torch.as_tensor(index, dtype=torch.long)
        places, sources = edge_table(pairs, len(numbers))
        batch = {
            "edge_places": places,
            "edge_sources": sources,
            "x": numbers.long(),
            "atomic_numbers": numbers.long(),
            "edge_index": pairs,
            "edge_vec": torch.as_tensor(np.vstack([e for _, e in edges]), dtype=torch.float32),
            "cell_volume": torch.as_tensor(volumes, dtype=torch.float32),
            "num_atoms": torch.as_tensor(sizes, dtype=torch.long),
            "batch": torch.as_tensor(np.repeat(np.arange(len(frames)), sizes), dtype=torch.long),
        }
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        if self.fidelity:
            place = self.model.modal_map[self.fidelity]
            batch["modal_type"] = torch.full((len(frames),), place, device=self.device)
        return batch


class SevenNetL3I5Forces(SevenNetForces):
    """SevenNet-l3i5 (December 2024): larger, slower and better than SevenNet-0."""

    weights = "7net-l3i5"


class SevenNetMF0Forces(SevenNetForces):
    """SevenNet-MF-0, trained on two functionals, of which this is PBE."""

    weights, fidelity = "7net-mf-0", "PBE"


def neighbour_edges(frame, cutoff):
    """Pairs of atoms within a cutoff, and the vectors from the first to the second.

    Returns
    -------
    pairs : ndarray of shape (2, n_edges), int
    vectors : ndarray of shape (n_edges, 3), float64
    """
    points = np.mod(frame.positions, 1.0) @ frame.lattice
    found = find_neighbours(points, frame.lattice, cutoff)
    return np.array([found.centers, found.neighbors]), found.vectors


FORCE_FIELDS = {
    "chgnet": CHGNetForces,
    "sevennet-0": SevenNetForces,
    "sevennet-l3i5": SevenNetL3I5Forces,
    "sevennet-mf-0": SevenNetMF0Forces,
    "m3gnet": M3GNetForces,
    "tensornet": TensorNetForces,
    "mace": MACEForces,
}
