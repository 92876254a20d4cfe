"""Predictors that are fitted in seconds."""

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklearn_cloud import CloudRegressor, GraphRegressor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.ensembles import crystal_classifier, crystal_regressor
from sklearn_cloud.ensembles.members import Member
from sklearn_cloud.graphs.graph_config import GraphConfig
from sklearn_cloud.predictors.predictor_folder import write_predictor
from sklearn_cloud.predictors.recipe import train_predictor

MEMBERS = {
    "bulk_modulus": ("boosting", "CLOUD mini"),
    "shear_modulus": ("CLOUD mini",),
    "highest_phonon_peak": ("graph network",),
}


def regression(effort, y, *, members, random_state, **options):
    trees = HistGradientBoostingRegressor(
        max_iter=15, min_samples_leaf=5, early_stopping=False, random_state=random_state
    )
    network = CloudRegressor(
        EncoderConfig(n_layers=1, n_heads=2, width=16),
        max_epochs=2,
        validation_fraction=0,
        device="cpu",
        random_state=0,
    )
    graphs = GraphRegressor(
        GraphConfig(width=16, n_blocks=1, message_layers=1),
        max_epochs=2,
        device="cpu",
        random_state=0,
    )
    found = [
        Member("boosting", "features", trees),
        Member("CLOUD mini", "strings", network),
        Member("graph network", "crystals", graphs),
    ]
    return [member for member in found if member.name in members]


def classification(effort, y, *, members, random_state, **options):
    trees = HistGradientBoostingClassifier(
        max_iter=15, min_samples_leaf=5, early_stopping=False, random_state=random_state
    )
    return [Member("boosting", "features", trees)]


def write_tiny_predictors(folder, tables):
    """Write a folder for each table, and return what `train_predictor` gave."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crystal_regressor, "regression_members", regression)
        patch.setattr(crystal_classifier, "classification_members", classification)
        for name, data in tables.items():
            found[name] = train_predictor(name, data, members=MEMBERS.get(name))
            ensemble, card, _ = found[name]
            write_predictor(ensemble, card, folder / name)
    return found
