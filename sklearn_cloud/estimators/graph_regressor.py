"""GraphRegressor and GraphClassifier: predictions of a pre-trained graph network."""

from ..training.net_classifier import NetClassifier
from ..training.net_regressor import NetRegressor
from .graph_network import GraphEstimator


class GraphRegressor(GraphEstimator, NetRegressor):
    """Predict numbers from crystal structures with a pre-trained graph network.

    The network is that of `CoGNRegressor`: the nodes of its graph are the orbits of the crystal,
    its edges lead to the nearest neighbours. It starts from weights that were trained on unlabelled
    crystals, as the encoder of `CloudRegressor` does: to name elements that were hidden, to find
    the true distances when these were disturbed, and to tell size, shape and bonding of the
    crystal. On small tables this is worth more than any other parameter. No property of a crystal
    was used.

    Parameters
    ----------
    network : str, path-like, GraphConfig or None, default="mini"
        A string names a pre-trained checkpoint, bundled with the package ("mini") or a folder.
        A `GraphConfig` gives a network of that shape with random weights, None one of the default
        shape.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. "auto" means 100, or for more than 5,120 rows in batches of
        32 as many as 16,000 steps allow, but at least 2.
    validation_fraction : float, default=0.0
        Share of the rows that is taken out of the training rows to choose the best epoch. With 0
        nothing is held out and the last epoch is kept, which is better on small tables.
    {other parameters}

    Attributes
    ----------
    graph_config_ : dict
        Shape of the network, as in `GraphConfig`.
    {other attributes}

    See Also
    --------
    CloudRegressor : Fine-tune an encoder of symmetry strings, without coordinates.
    sklearn_cloud.baselines.CoGNRegressor : The network from random weights.

    Notes
    -----
    Coordinates are needed, but no charges or spins. Neighbours are within the `cutoff` of the
    `GraphConfig`, 8 angstrom, so that long-range interactions are not seen; neither are angles or
    handedness.
    A site without neighbours is predicted from its element. On CUDA, sums over edges are not
    reproducible to the last digit.

    Architecture after [1]_; hiding elements as in [2]_, disturbed distances as in [3]_.

    References
    ----------
    .. [1] R. Ruff, P. Reiser, J. Stühmer, P. Friederich, "Connectivity optimized nested line graph
       networks for crystal structures", Digital Discovery 3, 594 (2024).
    .. [2] W. Hu et al., "Strategies for pre-training graph neural networks", ICLR 2020.
    .. [3] S. Zaidi et al., "Pre-training via denoising for molecular property prediction", ICLR
       2023.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud import GraphRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = GraphRegressor(max_epochs=2, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class GraphClassifier(GraphEstimator, NetClassifier):
    """Predict classes from crystal structures with a pre-trained graph network.

    As `GraphRegressor`, but with one output for each class and the cross-entropy as loss.

    Parameters
    ----------
    network : str, path-like, GraphConfig or None, default="mini"
        As in `GraphRegressor`.
    max_epochs : int or "auto", default="auto"
        As in `GraphRegressor`.
    validation_fraction : float, default=0.0
        As in `GraphRegressor`; these rows are stratified by class.
    {other parameters}

    Attributes
    ----------
    graph_config_ : dict
        Shape of the network, as in `GraphConfig`.
    {other attributes}

    See Also
    --------
    GraphRegressor : Predict numbers.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud import GraphClassifier
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = GraphClassifier(max_epochs=2, random_state=0)
    >>> model.fit(cells, ["dense", "light"]).predict_proba(cells).shape
    (2, 2)
    """
