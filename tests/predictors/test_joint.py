"""Band gap and metallicity as one model."""

import json
import shutil

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import ModelFolderError
from sklearn_cloud.datasets import load_example
from sklearn_cloud.predictors import load_predictor
from sklearn_cloud.predictors.joint import join
from sklearn_cloud.predictors.joint_card import join_card, join_left_out
from sklearn_cloud.predictors.loading import DATA
from sklearn_cloud.predictors.predictor_folder import read_card, write_card
from sklearn_cloud.predictors.properties import PROPERTIES


def test_the_class_decides_where_the_number_is_zero():
    found = {"value": np.full(4, 2.0), "lower": np.full(4, 1.0), "upper": np.full(4, 3.0)}
    joined = join(found, np.array([0.05, 0.2, 0.6, np.nan]), 0.9)
    assert joined["value"].tolist() == [2, 2, 0, 2]
    assert joined["lower"].tolist() == [1, 0, 0, 1]
    assert joined["upper"].tolist() == [3, 3, 3, 3]
    assert join(found, np.full(4, 0.6), 0.3)["lower"].tolist() == [0, 0, 0, 0]
    assert found["value"].tolist() == [2, 2, 2, 2]


GAP = PROPERTIES["band_gap"]
LEFT_OUT = {
    "ids": np.array(["mb-a-01", "mb-a-03", "mb-a-04", "mb-a-05"]),
    "rows": np.array([0, 2, 3, 4]),
    "fold": np.zeros(4, dtype=int),
    "target": np.array([0.0, 2.0, 0.0, 1.0]),
    "predicted": np.array([0.5, 1.5, -0.4, 0.1]),
    "covered": np.array([False, True, False, False]),
}
OTHER = {
    "ids": np.array(["mb-b-03", "mb-b-02", "mb-b-05", "mb-b-04"]),
    "target": np.array([False, True, False, True]),
    "predicted": np.array([0.1, 0.9, 0.7, 0.3]),
}


def test_scores_are_those_of_rows_that_neither_was_fitted_on():
    joined, alone = join_left_out(GAP, LEFT_OUT, OTHER)
    assert joined["rows"].tolist() == [2, 3, 4]
    assert joined["predicted"].tolist() == [1.5, 0.0, 0.0]
    assert joined["covered"].tolist() == [True, True, False]
    assert alone == pytest.approx((0.5 + 0.0 + 0.9) / 3)
    with pytest.raises(ValueError, match="the same crystals in the same order"):
        join_left_out(GAP, LEFT_OUT, {**OTHER, "target": np.ones(4, dtype=bool)})


def test_joint_card(data, tiny, tables):
    ensemble, card, left_out = tiny[1]["experimental_band_gap"]
    table = tables["experimental_band_gap"]
    left_out = {**left_out, "ids": table.ids}
    zero = left_out["target"] < 1
    left_out["target"] = np.where(zero, 0, left_out["target"])
    other = {**left_out, "target": zero, "predicted": np.where(zero, 0.8, 0.2)}
    class_card = {"name": "experimental_is_metal", "model": "0" * 64}
    prop = PROPERTIES["experimental_band_gap"]
    joint = join_card(prop, card, ensemble, class_card, left_out, other, table)
    assert joint["scores"]["mae"] < joint["scores"]["mae_alone"]
    assert joint["scores"]["coverage"] >= card["scores"]["coverage"]
    assert sum(group["rows"] for group in joint["chemistry"]) == len(table.target)
    assert sum(group["rows"] for group in joint["novelty"]) == len(table.target)
    json.dumps(joint, allow_nan=False)


METALS = (("Al", 4.05), ("Cu", 3.61), ("Pd", 3.89))
needs_both = pytest.mark.skipif(
    not all((DATA / name / "card.json").is_file() for name in ("band_gap", "is_metal")),
    reason="the predictors are not in this installation",
)


@needs_both
def test_band_gap_and_metallicity_agree():
    metals = [Structure.from_spacegroup(225, Lattice.cubic(a), [e], [[0] * 3]) for e, a in METALS]
    crystals = [*load_example().structures[::12], *metals]
    gap, metal = load_predictor("band_gap"), load_predictor("is_metal")
    assert repr(gap.ensemble.views_) == repr(metal.ensemble.views_)
    probability = metal.predict_proba(crystals)[:, 1]
    assert ((gap.predict(crystals) == 0) == metal.predict(crystals)).all()
    assert (probability[-len(METALS) :] > 0.5).all()
    lower, upper = gap.predict_interval(crystals).T
    assert (lower[probability > 0.1] == 0).all() and (upper > 0).all()
    assert (lower[probability < 0.05] > 0).any()


@needs_both
def test_the_other_model_is_checked(tmp_path):
    gap = shutil.copytree(DATA / "band_gap", tmp_path / "band_gap")
    with pytest.raises(ModelFolderError):
        load_predictor(gap)
    shutil.copytree(DATA / "is_metal", tmp_path / "is_metal")
    assert load_predictor(gap).zero_if is not None
    card = {key: value for key, value in read_card(gap).items() if key != "sha256"}
    write_card({**card, "zero_if": {"name": "is_metal", "model": "0" * 64}}, gap)
    with pytest.raises(ModelFolderError, match="another 'is_metal'"):
        load_predictor(gap)
