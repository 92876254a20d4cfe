"""scikit-learn's own checks, through a front end that writes rows of numbers as strings."""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor

ELEMENTS = ("Li", "Be", "B", "C", "N", "O", "F", "Na", "Mg", "Al", "Si", "P", "S", "Cl")
TINY = EncoderConfig(n_layers=1, n_heads=2, width=16, max_positions=64)


def row_to_string(row):
    """A composition string with one element per number, its logistic in tenths as fraction."""
    fractions = 1 / (1 + np.exp(-np.clip(row[: len(ELEMENTS)], -30, 30)))
    return " ".join(f"{e} {round(float(f), 1)}" for e, f in zip(ELEMENTS, fractions))


class NumericCloudRegressor(CloudRegressor):
    """CloudRegressor on rows of numbers, small enough to be trained in a moment."""

    def fit(self, X, y, sample_weight=None):
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None.")
        X = validate_data(self, X)
        return super().fit([row_to_string(row) for row in X], y, sample_weight)

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return super().predict([row_to_string(row) for row in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "Trained in random batches: a row of weight two does not meet the same batches as "
            "the row written twice."
        )
    }


@parametrize_with_checks(
    [
        NumericCloudRegressor(
            TINY,
            max_epochs=30,
            learning_rate=5e-3,
            batch_size=16,
            dropout=0.0,
            validation_fraction=0,
            random_state=0,
        )
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
