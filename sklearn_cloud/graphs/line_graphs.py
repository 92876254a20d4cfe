"""Line graphs: bonds of a crystal graph as nodes, the angles between them as edges."""

import numpy as np


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


def find_angles(graph, distances, angles):
    """Angles of a crystal graph.

    Parameters
    ----------
    graph : CrystalGraph
    distances : ndarray of shape (n_edges,)
        Lengths of its vectors.
    angles : {"consecutive", "at site", None}
        Angles between each bond and those that start where it ends, or between any two bonds that
        start at the same site; None for no angles.

    Returns
    -------
    first, second : ndarray of shape (n_angles,), int
        The two bonds of each angle.
    cosines : ndarray of shape (n_angles,)
    """
    if angles is None:
        nothing = np.zeros(0, dtype=int)
        return nothing, nothing, np.zeros(0)
    directions = graph.vectors / distances[:, None]
    if angles == "consecutive":
        first, second = bond_pairs(graph.neighbors, graph.centers)
        cosines = -(directions[first] * directions[second]).sum(axis=1)
    else:
        first, second = bond_pairs(graph.centers, graph.centers)
        others = first != second
        first, second = first[others], second[others]
        cosines = (directions[first] * directions[second]).sum(axis=1)
    return first, second, cosines.clip(-1, 1)
