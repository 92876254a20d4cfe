"""Random walks on crystal graphs, which tell the sites of a crystal apart."""

import numpy as np

WALK_STEPS = 20


def return_probabilities(graph, n_steps=WALK_STEPS):
    """Probability that a random walk from a site is back after 1, 2, ... steps.

    Parameters
    ----------
    graph : CrystalGraph
    n_steps : int, default=20

    Returns
    -------
    ndarray of shape (n_sites, n_steps), float32
        A walk that arrives at a copy of its site in another cell is back. Zeros for a site without
        neighbours.
    """
    steps = np.zeros((graph.n_sites, graph.n_sites))
    np.add.at(steps, (graph.centers, graph.neighbors), 1.0)
    steps /= np.maximum(steps.sum(axis=1, keepdims=True), 1.0)
    walked, returns = np.eye(graph.n_sites), []
    for _ in range(n_steps):
        walked = walked @ steps
        returns.append(np.diag(walked))
    return np.stack(returns, axis=1).astype(np.float32)
