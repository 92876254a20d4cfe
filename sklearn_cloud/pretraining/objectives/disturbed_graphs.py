"""Disturbed graphs: name hidden elements, find the true distances, describe the crystal."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.functional import cross_entropy, l1_loss, smooth_l1_loss

from ...features.elements import N_ELEMENTS
from ...graphs.asymmetric_unit_encoder import AsymmetricUnitEncoder, PairMessage
from ...graphs.merged_graphs import mean_over_sites

_HIDDEN = 0.2  # share of the sites whose element is hidden
_DISTURBED = 0.7  # share of the crystals whose distances are disturbed
_STRAIN, _NOISE = 0.06, 0.02  # of log distances: of the whole crystal, and of each bond
_NUMBERS_WEIGHT = 0.3


def disturb(batch, rng):
    """Hide elements and disturb distances of a batch of graphs.

    Parameters
    ----------
    batch : dict of str to tensor
        From `collate_merged`; it is not changed.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to tensor
        `distances` (n_bonds,): of seven crystals in ten they are all scaled by one factor, and each
        by a smaller one of its own. `hidden` (n_sites,): which elements are hidden, a fifth of
        those that have a site to themselves. `strain` (n_crystals,) and `change` (n_bonds,): the
        logarithms of the factors, in units of 0.06.
    """
    sites = len(batch["multiplicities"])
    bonds = torch.repeat_interleave(batch["sizes"])[batch["centers"]]  # the crystal of each

    def normal(size, scale):
        return torch.from_numpy(rng.normal(0, scale, size)).float()

    disturbed = torch.from_numpy(rng.random(len(batch["sizes"])) < _DISTURBED)
    strain = normal(len(disturbed), _STRAIN) * disturbed
    change = strain[bonds] + normal(len(bonds), _NOISE) * disturbed[bonds]
    alone = torch.bincount(batch["sites"], minlength=sites) == 1
    return {
        "distances": batch["distances"] * change.exp(),
        "hidden": torch.from_numpy(rng.random(sites) < _HIDDEN) & alone,
        "strain": strain / _STRAIN,
        "change": change / _STRAIN,
    }


class DisturbedGraphs(nn.Module):
    """A graph encoder with the heads of its pre-training.

    Parameters
    ----------
    config : GraphConfig
    n_numbers : int
        Numbers that describe a crystal.
    """

    def __init__(self, config, n_numbers):
        super().__init__()
        width = config.width
        self.encoder = AsymmetricUnitEncoder(**config.sizes)
        self.unknown = nn.Parameter(torch.zeros(width))
        self.element = _head(width, N_ELEMENTS)
        self.bond = PairMessage(width, width, 2)
        self.change = nn.Linear(width, 1)
        self.crystal = _head(width, n_numbers + 1)

    def forward(self, batch, disturbed, numbers):
        """Return the losses of a batch.

        Parameters
        ----------
        batch : dict of str to tensor
            From `collate_merged`.
        disturbed : dict of str to tensor
            From `disturb`.
        numbers : tensor of shape (n_crystals, n_numbers)
            Standardised; NaN if unknown.

        Returns
        -------
        dict of str to tensor
            `loss`: the weighted sum of `element_loss` (cross-entropy of the hidden elements),
            `bond_loss` (absolute error of the logarithmic change of a distance, in units of 0.06)
            and `crystal_loss` (of the numbers and of the strain); `element_accuracy`.
        """
        graph = SimpleNamespace(**{**batch, "distances": disturbed["distances"]})
        nodes, edges = self.encoder.embedding(graph)
        hidden = disturbed["hidden"]
        nodes = torch.where(hidden[:, None], self.unknown.to(nodes.dtype), nodes)
        nodes = self.encoder.update(nodes, edges, graph)
        names = self.element(nodes[hidden]).float()
        change = self.change(self.bond(nodes, edges, graph.centers, graph.neighbors)).float()[:, 0]
        crystals = self.crystal(mean_over_sites(nodes, graph)).float()

        wanted = torch.zeros(len(nodes), dtype=torch.long, device=nodes.device)
        wanted[graph.sites] = graph.elements
        wanted, n_hidden = wanted[hidden], hidden.sum().clamp(min=1)
        error = l1_loss(change, disturbed["change"], reduction="none")
        counts = graph.bond_counts * (disturbed["change"] != 0)
        known = ~numbers.isnan()
        losses = {
            "element_loss": cross_entropy(names, wanted, reduction="sum") / n_hidden,
            "bond_loss": (error * counts).sum() / counts.sum().clamp(min=1),
            "crystal_loss": smooth_l1_loss(crystals[:, :-1][known], numbers[known], reduction="sum")
            / known.sum().clamp(min=1)
            + l1_loss(crystals[:, -1], disturbed["strain"]),
        }
        losses["loss"] = (
            losses["element_loss"] + losses["bond_loss"] + _NUMBERS_WEIGHT * losses["crystal_loss"]
        )
        losses["element_accuracy"] = (names.argmax(dim=1) == wanted).sum() / n_hidden
        return losses


def _head(width, n_outputs):
    return nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_outputs))
