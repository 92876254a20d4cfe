"""M3GNet and TensorNet of the package matgl, from a folder with their weights."""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from ..crystals.neighbours import find_neighbours
from .elements import atomic_numbers
from .frames import Frame, Response, frames_of
from .local_weights import content_tag

# Cubic crystals of two elements and their cell lengths in PBE (angstrom): at these, a potential
# in order sees hardly any pressure.
_ROCK_SALTS = (("Mg", "O", 4.25), ("Na", "Cl", 5.69), ("Ti", "N", 4.25), ("Cd", "O", 4.78))
_GPA = 160.21766208  # in eV per cubic angstrom


class MatGLPotential:
    """A potential in matgl's format, and batches of crystals for it.

    Parameters
    ----------
    device : str
    weights : str
        Folder with model.json, model.pt and state.pt.
    """

    package, extra = "matgl>=4.1", "matgl"
    kind = None  # its class in matgl

    def __init__(self, device, weights):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions of its models
            self.model = _load(weights, self.kind).to(device).eval()
        self.model.requires_grad_(False)  # the gradient by the positions is enough
        self.device = device
        self.cutoff = float(self.model.model.cutoff)
        known = list(self.model.model.element_types)
        numbers = atomic_numbers()
        self.elements = {e: numbers[e] for e in known}
        self._places = np.full(max(numbers.values()) + 1, -1)
        self._places[[numbers[e] for e in known]] = np.arange(len(known))
        self._set_direction()
        name = content_tag(Path(weights) / "state.pt")
        self.tag = f"{self.kind}-{name}_matgl-{version('matgl')}".lower()

    def _run(self, frames, forces):
        """Energies, forces and stresses (GPa) as matgl returns them."""
        from torch_geometric.data import Batch

        self.model.calc_forces = self.model.calc_stresses = forces
        batch = Batch.from_data_list([self._graph(frame) for frame in frames])
        lattices = np.stack([frame.lattice for frame in frames])
        return self.model(batch, torch.as_tensor(lattices, dtype=torch.float32), None)[:3]

    def _graph(self, frame):
        from torch_geometric.data import Data

        positions = np.mod(frame.positions, 1.0)
        found = find_neighbours(positions @ frame.lattice, frame.lattice, self.cutoff)
        return Data(
            num_nodes=len(positions),
            edge_index=torch.as_tensor(np.array([found.centers, found.neighbors])).long(),
            pbc_offset=torch.as_tensor(found.images, dtype=torch.float32),
            node_type=torch.as_tensor(self._places[frame.numbers]),
            frac_coords=torch.as_tensor(positions, dtype=torch.float32),
        )

    def _set_direction(self):
        """Let messages flow the way for which the weights were trained.

        matgl once added up messages at the end of an edge and now does so at its start. Its files
        do not say which way they are for. Crystals of one element look alike both ways; in those
        of several only the right one finds the pressure near zero.
        """
        if not {e for *pair, _ in _ROCK_SALTS for e in pair} <= set(self.elements):
            return
        now = self._pressure()
        undo = _sum_at_ends(self.model.model)
        if self._pressure() > now:
            undo()

    def _pressure(self):
        """Mean absolute pressure (GPa) of some crystals that should have none."""
        frames = [
            Frame(
                a / 2 * (1 - np.eye(3)),
                np.array([[0.0] * 3, [0.5] * 3]),
                np.array([self.elements[e] for e in pair]),
            )
            for *pair, a in _ROCK_SALTS
        ]
        stresses = self._run(frames, forces=True)[2].detach()
        return float(stresses.reshape(-1, 3, 3).diagonal(dim1=1, dim2=2).abs().mean())


class MatGLFeatures(MatGLPotential):
    """Vectors of the atoms before the last layer, and energies."""

    def __init__(self, device, weights):
        super().__init__(device, weights)
        last = self.model.model.final_layer
        linear = next(m for m in last.modules() if isinstance(m, torch.nn.Linear))
        self.n_features = linear.in_features
        last.register_forward_pre_hook(self._keep_vectors)

    def _keep_vectors(self, _, inputs):
        self.vectors = inputs[0] if torch.is_tensor(inputs[0]) else inputs[0].node_feat

    def compute(self, crystals):
        """Return the means of the last vectors of the atoms, and energies in eV/atom.

        Returns
        -------
        vectors : ndarray of shape (n_crystals, n_features)
        energies : ndarray of shape (n_crystals,)
        """
        frames = frames_of(crystals, self.elements)
        energies = self._run(frames, forces=False)[0].cpu().double().numpy().reshape(-1)
        sizes = [len(frame.numbers) for frame in frames]
        vectors = [part.mean(dim=0).cpu().numpy() for part in self.vectors.split(sizes)]
        return np.array(vectors), energies / np.array(sizes)


class MatGLForces(MatGLPotential):
    """Energies, forces and stresses."""

    def compute(self, frames):
        """Responses of the frames, in one batch."""
        energies, forces, stresses = (
            tensor.detach().cpu().double().numpy() for tensor in self._run(frames, forces=True)
        )
        ends = np.cumsum([len(frame.numbers) for frame in frames])
        parts = np.split(forces, ends[:-1])
        stresses = stresses.reshape(-1, 3, 3) / _GPA
        return [Response(*one) for one in zip(energies.ravel(), parts, stresses, strict=True)]


class M3GNetFeatures(MatGLFeatures):
    """Vectors and energies of M3GNet."""

    kind = "M3GNet"


class TensorNetFeatures(MatGLFeatures):
    """Vectors and energies of TensorNet."""

    kind = "TensorNet"


class M3GNetForces(MatGLForces):
    """Energies, forces and stresses of M3GNet."""

    kind = "M3GNet"


class TensorNetForces(MatGLForces):
    """Energies, forces and stresses of TensorNet."""

    kind = "TensorNet"


def _load(folder, kind):
    """The potential in a folder, by matgl's loader, which reads pickles with `weights_only`.

    The loader imports the modules that the folder names: they are compared first.
    """
    import matgl
    from matgl.apps.pes import Potential

    folder = Path(folder)
    outer = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    inner = torch.load(folder / "model.pt", map_location="cpu", weights_only=True).get("model")
    named = [(part.get("@module", ""), part.get("@class")) for part in (outer, inner or {})]
    modules = [module.startswith(("matgl.apps.", "matgl.models.")) for module, _ in named]
    if not all(modules) or [name for _, name in named] != [Potential.__name__, kind]:
        raise ValueError(f"{str(folder)!r} contains no potential of {kind} of matgl, but {named}")
    return matgl.load_model(folder)


def _sum_at_ends(network):
    """Sum messages at the end of each edge; returns what undoes it."""
    if hasattr(network, "tensor_embedding"):
        return _sum_embedding_at_ends(network.tensor_embedding)
    layers = [layer.conv for layer in network.graph_layers]
    for layer in layers:
        layer.node_update_ = _EndSum(layer)

    def undo():
        for layer in layers:
            del layer.node_update_

    return undo


class _EndSum:
    """Takes the place of the node update of M3GNet's convolution."""

    def __init__(self, layer):
        self.message, self.weight = layer.node_update_func, layer.node_weight_func

    def __call__(self, edge_index, edge_feat, node_feat, rbf, u_per_edge, num_nodes):
        start, end = edge_index
        parts = [node_feat[start], node_feat[end], edge_feat]
        parts += [] if u_per_edge is None else [u_per_edge]
        messages = self.message(torch.hstack(parts)) * self.weight(rbf)
        return messages.new_zeros(num_nodes, messages.shape[1]).index_add(0, end, messages)


def _sum_embedding_at_ends(embedding):
    """TensorNet sums at the first atom of an edge: turn the edges round, but not the message."""
    message = embedding.message

    def swapped(x_i, x_j, **others):
        return message(x_i=x_j, x_j=x_i, **others)

    def turned(_, inputs):
        kinds, edge_index, *others = inputs
        return (kinds, edge_index.flip(0), *others)

    embedding.message = swapped
    hook = embedding.register_forward_pre_hook(turned)

    def undo():
        hook.remove()
        del embedding.message

    return undo
