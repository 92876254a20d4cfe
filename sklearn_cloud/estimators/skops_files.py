"""Save estimators of scikit-learn in skops files, if skops and this module trust their types."""

import numpy as np

from ..exceptions import shorten

#: Types that this module trusts in addition to skops: dtypes and kernels, which are plain
#: parameters, and trees, which are checked by `check_trees`.
TRUSTED = [
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    *(
        f"sklearn.gaussian_process.kernels.{name}"
        for name in (
            "CompoundKernel", "ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared",
            "Matern", "PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum",
            "WhiteKernel",
        )
    ),
]  # fmt: skip


def dump_skops(value, name):
    """Return the bytes of a skops file.

    Raises
    ------
    TypeError
        If skops cannot write the value, or would not trust it when loading.
    """
    from skops import io

    advice = (
        "set it to a plain value before saving, save only its fitted model (such as "
        "best_estimator_), or use joblib.dump"
    )
    try:
        content = io.dumps(value)
        foreign = [kind for kind in io.get_untrusted_types(data=content) if kind not in TRUSTED]
    except Exception as error:  # the object may raise anything
        raise TypeError(
            f"{name}={type(value).__name__} cannot be saved without pickle ({error}): {advice}."
        ) from error
    if foreign:
        raise TypeError(
            f"{name}={shorten(repr(value))} cannot be saved without pickle, because of "
            f"{', '.join(foreign)}: {advice}."
        )
    return content


def load_skops(path):
    """Load the object in a skops file.

    Raises
    ------
    ValueError
        If a type in it is not trusted, or a tree points outside its arrays.
    """
    from skops import io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        value = io.load(path, trusted=TRUSTED)
    except UntrustedTypesFoundException as error:
        raise ValueError(f"{path} contains types that are not trusted: {error}") from error
    check_trees(value, path)
    return value


def check_trees(value, path, n_features=None):
    """Check that all paths of the trees in an object lead from the root to a leaf.

    scikit-learn follows the node indices of a tree unchecked: indices in a damaged or malicious
    file could point anywhere in memory.
    """
    kind = type(value).__name__
    if kind == "Tree":
        nodes = value.__getstate__()["nodes"]
        inner = nodes["left_child"] != -1
        links, features = (nodes["left_child"], nodes["right_child"]), nodes["feature"]
        _check_nodes(inner, links, features, min(value.n_features, n_features), path)
    elif kind == "TreePredictor":
        nodes = value.nodes
        inner = nodes["is_leaf"] == 0
        _check_nodes(inner, (nodes["left"], nodes["right"]), nodes["feature_idx"], n_features, path)
        sets = nodes["bitset_idx"][inner & (nodes["is_categorical"] == 1)]
        _require(np.all(sets < len(value.raw_left_cat_bitsets)), path)
    elif isinstance(value, (list, tuple)) or (
        isinstance(value, np.ndarray) and value.dtype == object
    ):
        for one in np.ravel(value) if isinstance(value, np.ndarray) else value:
            check_trees(one, path, n_features)
    elif isinstance(value, dict):
        check_trees(list(value.values()), path, n_features)
    elif hasattr(value, "get_params"):
        n_features = getattr(value, "n_features_in_", n_features)
        check_trees(list(vars(value).values()), path, n_features)


def _check_nodes(inner, links, features, n_features, path):
    numbers = np.arange(len(inner))
    _require(len(inner) > 0 and n_features is not None, path)
    for link in links:
        # children come after their parents, so there are no cycles
        _require(np.all((link > numbers)[inner]) and np.all(link[inner] < len(inner)), path)
    features = features[inner].astype(np.int64)
    _require(np.all(features >= 0) and np.all(features < n_features), path)


def _require(holds, path):
    if not holds:
        raise ValueError(f"{path} contains a damaged tree")
