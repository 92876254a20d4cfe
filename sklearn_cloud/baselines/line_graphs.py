"""Line graphs: bonds of a crystal graph as nodes, the angles between them as edges."""

import numpy as np
import torch
from torch.nn.functional import cosine_similarity


def bond_pairs(ends, starts):
    """Pairs of bonds of which the second starts where the first ends.

    Parameters
    ----------
    ends, starts : ndarray of shape (n_bonds,), int
        The site where each bond ends, and where it starts. The neighbours and the centers of a
        `CrystalGraph` give the pairs of consecutive bonds; the centers twice, the pairs at a site,
        each bond with itself among them.

    Returns
    -------
    first, second : ndarray of shape (n_pairs,), int
    """
    order = np.argsort(starts, kind="stable")
    begin = np.searchsorted(starts, ends, side="left", sorter=order)
    counts = np.searchsorted(starts, ends, side="right", sorter=order) - begin
    first = np.repeat(np.arange(len(ends)), counts)
    place = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, order[np.repeat(begin, counts) + place]


def count_angles(ends, starts):
    """Number of the pairs that `bond_pairs` would return."""
    size = max(ends.max(initial=-1), starts.max(initial=-1)) + 1
    return int(np.bincount(ends, minlength=size) @ np.bincount(starts, minlength=size))


def check_angles(graph, n_angles, max_angles):
    """Refuse a crystal whose line graph is too large.

    Parameters
    ----------
    graph : CrystalGraph
    n_angles, max_angles : int

    Raises
    ------
    ValueError
        If there are more angles than allowed.
    """
    if n_angles > max_angles:
        raise ValueError(
            f"the line graph has {n_angles:,} angles ({graph.n_sites} sites, "
            f"{len(graph.centers):,} bonds), more than max_angles={max_angles:,}: pass a smaller "
            f"cell, lower max_neighbors or cutoff, or raise max_angles if there is memory for it"
        )


def collate_angles(graphs, batch, consecutive):
    """Line graph of a batch of crystal graphs.

    Parameters
    ----------
    graphs : list of CrystalGraph
    batch : dict of str to torch.Tensor
        Of `collate_graphs`.
    consecutive : bool
        Whether an angle is between a bond and those that start where it ends, at its neighbour;
        otherwise between two bonds that start at the same site.

    Returns
    -------
    dict of str to torch.Tensor
        `first` and `second`, int64, the two bonds of each angle; `cosines` of the angles.
    """
    centers, neighbors = batch["centers"].numpy(), batch["neighbors"].numpy()
    vectors = torch.from_numpy(np.concatenate([graph.vectors for graph in graphs]))
    if consecutive:
        first, second = map(torch.from_numpy, bond_pairs(neighbors, centers))
        cosines = cosine_similarity(-vectors[first], vectors[second], dim=1)
    else:
        first, second = bond_pairs(centers, centers)
        others = first != second
        first, second = torch.from_numpy(first[others]), torch.from_numpy(second[others])
        cosines = cosine_similarity(vectors[first], vectors[second], dim=1)
    return {"first": first, "second": second, "cosines": cosines.clamp(-1, 1)}
