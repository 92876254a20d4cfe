"""Shapley values of the trees of a CrystalRegressor."""

import pytest

pytest.importorskip("shap", reason="needs SHAP")
pytest.importorskip("matminer", reason="needs sklearn-cloud[baselines]")


def test_shapley_values_add_up_to_the_prediction():
    # [start]
    import numpy
    import shap

    from sklearn_cloud import CrystalRegressor
    from sklearn_cloud.datasets import load_example

    crystals, band_gaps = load_example(return_X_y=True)
    model = CrystalRegressor("fast", members=["extra-trees"], cv=2, random_state=0)
    model.fit(crystals[::6], band_gaps[::6])

    features = [step.fit_transform(crystals[:2]) for step in model.views_["features"]]
    names = [name for step in model.views_["features"] for name in step.get_feature_names_out()]
    trees = model.members_["extra-trees"][0]
    table = numpy.hstack(features)
    explanation = shap.TreeExplainer(trees)(table)
    # [end]
    total = explanation.base_values.ravel() + explanation.values.sum(axis=1)
    assert total == pytest.approx(trees.predict(table))
    assert len(names) == table.shape[1]
