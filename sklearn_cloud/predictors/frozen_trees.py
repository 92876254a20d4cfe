"""Fitted trees as small arrays, which predict without the classes that fitted them."""

import re

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator

_VISITS = 2_000_000  # of nodes at a time, which limits the memory
_LARGEST = 1e6  # absolute value of a leaf
_FITTED = (
    "n_features_in_", "first_nodes_", "right_", "feature_", "value_", "missing_left_", "baseline_",
    "factor_",
)  # fmt: skip


class FrozenTrees(BaseEstimator):
    """The fitted trees of a gradient boosting or of extra-trees, as arrays.

    They take a tenth of the space of scikit-learn's trees, and do not depend on its version. Made
    by `freeze_trees`; it cannot be fitted.

    Attributes
    ----------
    n_features_in_ : int
    first_nodes_ : ndarray of shape (n_trees,)
        Index of the root of each tree. The left child of a node comes directly after it.
    right_ : ndarray of shape (n_nodes,)
        How far after a node its right child comes; 0 for a leaf.
    feature_ : ndarray of shape (n_nodes,)
        Feature that is compared.
    value_ : ndarray of shape (n_nodes,), float32
        Threshold up to which a row goes to the left; in a leaf, its prediction.
    missing_left_ : ndarray of uint8
        Whether missing values go to the left, as bits.
    baseline_, factor_ : float
        The output is ``baseline_ + factor_ * sum over the trees``.
    """

    def predict(self, X):
        """Return the output of the trees.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            May contain NaN.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        # as the thresholds: many a threshold is a value of the training rows, to which it must be
        # equal after rounding
        X = np.asarray(X, dtype=np.float32)
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has shape {X.shape}, expected {self.n_features_in_} columns.")
        missing_left = np.unpackbits(self.missing_left_, count=len(self.value_)).astype(bool)
        step = max(1, _VISITS // len(self.first_nodes_))
        sums = [
            self._sum_leaves(X[start : start + step], missing_left)
            for start in range(0, len(X), step)
        ]
        return self.baseline_ + self.factor_ * np.concatenate([np.zeros(0), *sums])

    def _sum_leaves(self, X, missing_left):
        """Return the sum of the leaves of each row over the trees."""
        n_trees = len(self.first_nodes_)
        nodes = np.tile(self.first_nodes_.astype(np.int64), len(X))
        places, rows = np.arange(len(nodes)), np.repeat(np.arange(len(X)), n_trees)
        current = nodes
        while True:
            right = self.right_[current]
            inner = right > 0
            nodes[places] = current
            if not inner.any():
                break
            places, rows = places[inner], rows[inner]
            current, right = current[inner], right[inner]
            compared = X[rows, self.feature_[current]]
            left = np.where(
                np.isnan(compared), missing_left[current], compared <= self.value_[current]
            )
            current = current + np.where(left, 1, right)
        return self.value_[nodes].astype(float).reshape(len(X), n_trees).sum(axis=1)

    def __setstate__(self, state):
        super().__setstate__(state)
        if any(name.endswith("_") for name in vars(self)):
            self._check_numbers()
            self._check_nodes()

    def _check_numbers(self):
        """Raise ValueError if a fitted attribute is missing, of another type, or not finite."""
        missing = [name for name in _FITTED if not hasattr(self, name)]
        if missing:
            raise ValueError(f"the trees have no {missing[0]}")
        arrays = [self.first_nodes_, self.right_, self.feature_, self.missing_left_, self.value_]
        kinds = "".join(one.dtype.kind if isinstance(one, np.ndarray) else "?" for one in arrays)
        flat = all(np.ndim(one) == 1 for one in arrays)
        numbers = [self.baseline_, self.factor_]
        sound = (
            flat
            and re.fullmatch("[iu]{3}uf", kinds)
            and self.missing_left_.dtype == np.uint8
            and isinstance(self.n_features_in_, int)
            and all(isinstance(one, (int, float)) and abs(one) <= _LARGEST for one in numbers)
        )
        if not sound:
            raise ValueError("the arrays of the trees have other types, or their numbers are wrong")

    def _check_nodes(self):
        """Raise ValueError if a path does not lead to a leaf with a usable value."""
        right, n_nodes = self.right_.astype(np.int64), len(self.value_)
        inner, numbers = right > 0, np.arange(n_nodes)
        right_ends = np.append(self.first_nodes_[1:], n_nodes).astype(np.int64)
        sizes = np.diff(np.append(self.first_nodes_, n_nodes).astype(np.int64))
        sound = (
            len(right) == len(self.feature_) == n_nodes > 0
            and len(self.missing_left_) * 8 >= n_nodes
            and len(sizes) > 0
            and self.first_nodes_[0] == 0
            and (sizes > 0).all()
            and (right != 1).all()
            and (right >= 0).all()
            and (numbers + right < np.repeat(right_ends, sizes))[inner].all()
            and (self.feature_ >= 0).all()
            and (self.feature_ < self.n_features_in_).all()
            # a threshold is infinite where only missing values go to the right
            and not np.isnan(self.value_).any()
            and (np.abs(self.value_[~inner]) <= _LARGEST).all()
        )
        if not sound:
            raise ValueError("the arrays contain a damaged tree")


class FrozenTreesClassifier(FrozenTrees):
    """The fitted trees of a gradient boosting with two classes, as arrays.

    The attributes are those of `FrozenTrees`, whose output is the logarithm of the odds.
    """

    def predict_proba(self, X):
        """Return the probabilities of both classes, shape (n_rows, 2)."""
        second = expit(self.predict(X))
        return np.column_stack([1 - second, second])


def freeze_trees(model):
    """Return fitted trees as arrays.

    Parameters
    ----------
    model : HistGradientBoostingRegressor, HistGradientBoostingClassifier or ExtraTreesRegressor
        Fitted; a classifier with two classes.

    Returns
    -------
    FrozenTrees or FrozenTreesClassifier
        Predictions agree up to the rounding of thresholds and leaves to float32.

    Raises
    ------
    ValueError
        If there are categorical features or more than two classes.
    """
    if hasattr(model, "estimators_"):
        trees = [_forest_tree(estimator.tree_) for estimator in model.estimators_]
        return _frozen(FrozenTrees(), trees, model.n_features_in_, 0.0, 1 / len(trees))
    if any(len(iteration) > 1 for iteration in model._predictors):
        raise ValueError("trees with more than two classes cannot be frozen")
    kind = FrozenTreesClassifier if hasattr(model, "classes_") else FrozenTrees
    trees = [_boosting_tree(predictor.nodes) for (predictor,) in model._predictors]
    baseline = float(np.ravel(model._baseline_prediction)[0])
    return _frozen(kind(), trees, model.n_features_in_, baseline, 1.0)


def _boosting_tree(nodes):
    if nodes["is_categorical"].any():
        raise ValueError("trees with categorical features cannot be frozen")
    leaf = nodes["is_leaf"] == 1
    return {
        "left": nodes["left"],
        "right": np.where(leaf, 0, nodes["right"]),
        "feature": np.where(leaf, 0, nodes["feature_idx"]),
        "value": np.where(leaf, nodes["value"], nodes["num_threshold"]),
        "missing_left": nodes["missing_go_to_left"] == 1,
    }


def _forest_tree(tree):
    leaf = tree.children_left == -1
    return {
        "left": tree.children_left,
        "right": np.where(leaf, 0, tree.children_right),
        "feature": np.where(leaf, 0, tree.feature),
        "value": np.where(leaf, tree.value[:, 0, 0], tree.threshold),
        "missing_left": tree.missing_go_to_left == 1,
    }


def _frozen(frozen, trees, n_features, baseline, factor):
    trees = [_depth_first(tree) for tree in trees]
    sizes = [len(tree["value"]) for tree in trees]
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    frozen.n_features_in_ = int(n_features)
    frozen.first_nodes_ = np.cumsum([0, *sizes[:-1]]).astype(np.uint32)
    frozen.right_ = _smallest(joined["right"])
    frozen.feature_ = _smallest(joined["feature"])
    frozen.value_ = joined["value"].astype(np.float32)
    frozen.missing_left_ = np.packbits(joined["missing_left"])
    frozen.baseline_, frozen.factor_ = baseline, factor
    frozen._check_nodes()
    return frozen


def _depth_first(tree):
    """Return the tree with each left child directly after its parent, and relative links."""
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if tree["right"][node]:
            waiting += [int(tree["right"][node]), int(tree["left"][node])]
    place = np.empty(len(tree["right"]), dtype=np.int64)
    place[order] = np.arange(len(order))
    right = tree["right"][order].astype(np.int64)
    right = np.where(right > 0, place[right] - np.arange(len(order)), 0)
    rest = {name: tree[name][order] for name in ("feature", "value", "missing_left")}
    return {"right": right, **rest}


def _smallest(values):
    """Return non-negative integers in the smallest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max())))
