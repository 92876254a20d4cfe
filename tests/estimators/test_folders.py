"""Every kind of model comes back from its folder and predicts the same numbers."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import EarlyStopping

from sklearn_cloud import (
    CloudClassifier,
    CloudEmbedder,
    CloudRegressor,
    CrystalRegressor,
    SymmetryStringTransformer,
    baselines,
    load_model,
    save_model,
)
from sklearn_cloud.__main__ import main
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import EncoderConfig

FORMULAS = ["NaCl", "KCl", "KBr", "MgO", "CaO", "LiF", "ZnS", "Si", "GaAs", "CdTe"]
GAPS = np.array([8.5, 8.4, 7.4, 7.8, 7.1, 13.6, 3.6, 1.1, 1.4, 1.5])
TINY = EncoderConfig(n_layers=1, n_heads=1, width=8, intermediate=8, max_positions=32)


def strings(**options):
    return SymmetryStringTransformer(parts=("sites", "composition"), **options)


def cloud(seed=0):
    return make_pipeline(strings(), CloudRegressor(TINY, max_epochs=2, random_state=seed))


def come_back(model, folder, X=FORMULAS, method="predict"):
    """The model as it is read, checked to predict the same."""
    save_model(model, folder)
    again = load_model(folder)
    expected, found = getattr(model, method)(X), getattr(again, method)(X)
    np.testing.assert_array_equal(found, expected)
    assert type(found) is type(expected) and found.dtype == expected.dtype
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".skops"}
    return again


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (CloudRegressor, GAPS),
        (CloudRegressor, np.column_stack([GAPS, GAPS**2])),
        (CloudRegressor, np.where(GAPS[:, None] > [0, 8], GAPS[:, None], np.nan)),
        (CloudClassifier, GAPS > 5),
        (CloudClassifier, np.where(GAPS > 5, "wide", "narrow")),
    ],
    ids=["number", "two numbers", "gaps", "bool", "class"],
)
def test_cloud(kind, target, tmp_path):
    transformer = strings(sites="set", symprec=np.float64(0.05), on_error="warn", n_jobs=1)
    model = make_pipeline(transformer, kind(TINY, max_epochs=np.int64(2), random_state=0))
    again = come_back(model.fit(FORMULAS, target), tmp_path / "model")
    assert again[0].get_params() == transformer.get_params()
    assert again[1].get_params() == model[1].get_params()
    assert type(again[1].max_epochs) is np.int64
    assert set(vars(again[1])) == set(vars(model[1]))
    assert again[1].loss_curve_ == model[1].loss_curve_


@pytest.mark.parametrize("head", [Ridge(), GaussianProcessRegressor(RBF(2.0), random_state=0)])
def test_embedder_with_a_head(head, tmp_path):
    model = make_pipeline(strings(), CloudEmbedder(TINY, pooling="mean"), StandardScaler(), head)
    come_back(model.fit(FORMULAS, GAPS), tmp_path / "model")


def test_trees_behind_an_imputer(tmp_path):
    model = make_pipeline(ElementFractions(), SimpleImputer(), ExtraTreesRegressor(3))
    come_back(model.fit(FORMULAS, GAPS), tmp_path / "model")


@pytest.mark.slow
def test_unlike_models_fitted_together(crystals, tmp_path):
    pytest.importorskip("matminer")
    X, y = crystals
    model = CrystalRegressor(effort="fast", cv=2, random_state=0).fit(X, y)
    come_back(model, tmp_path / "model", X)


def test_output_configuration_comes_back(tmp_path):
    model = make_pipeline(strings(), CloudEmbedder(TINY)).set_output(transform="pandas")
    save_model(model.fit(FORMULAS), tmp_path / "model")
    expected = model.transform(FORMULAS)
    assert load_model(tmp_path / "model").transform(FORMULAS).equals(expected)


@pytest.mark.parametrize(
    "options",
    [
        {"func": np.log, "inverse_func": np.exp},
        {"func": np.log1p, "inverse_func": np.expm1},
        {"transformer": StandardScaler()},
    ],
    ids=["log", "log1p", "scaler"],
)
def test_transformed_targets(options, tmp_path):
    model = TransformedTargetRegressor(cloud(), **options).fit(FORMULAS, GAPS)
    again = come_back(model, tmp_path / "model")
    assert again.func is model.func


def test_functions_of_your_own_are_refused(tmp_path):
    model = TransformedTargetRegressor(cloud(), func=lambda y: y, inverse_func=lambda y: y)
    with pytest.raises(TypeError, match=r"model\.func=.*cannot be saved without pickle"):
        save_model(model.fit(FORMULAS, GAPS), tmp_path / "model")


TREES = {
    "MagpieForestRegressor": {"n_estimators": 5},
    "MagpieBoostingRegressor": {"n_estimators": 5},
    "GeometryTreesRegressor": {"n_estimators": 5},
    "SpaceGroupForestRegressor": {"n_estimators": 5},
}
NETWORKS = {
    "RoostRegressor": {"width": 8, "n_layers": 1},
    "CrabNetRegressor": {"width": 8, "n_layers": 1},
    "FinderRegressor": {"width": 8, "n_layers": 1},
    "WrenformerRegressor": {"width": 8, "n_layers": 1, "n_heads": 2},
    "MatInFormerRegressor": {"width": 8, "n_layers": 1},
    "SlicesBertRegressor": {"width": 8, "n_layers": 1},
    "CGCNNRegressor": {"atom_width": 4, "n_convolutions": 1},
    "MEGNetRegressor": {"width": 4, "n_blocks": 1, "hidden_width": 4},
    "ALIGNNRegressor": {"width": 4, "n_layers": 1, "max_neighbors": 4},
    "CoGNRegressor": {"width": 4, "n_blocks": 1},
    "CoNGNRegressor": {"width": 4, "n_blocks": 1, "connectivity": "nearest", "max_neighbors": 4},
    "CrysToGraphRegressor": {"width": 4, "bond_width": 4, "n_layers": 1, "max_neighbors": 4},
}


@pytest.fixture(scope="module")
def crystals():
    X, y = load_example(return_X_y=True)
    return list(X)[::12], np.asarray(y)[::12]


@pytest.mark.parametrize(("name", "options"), {**TREES, **NETWORKS}.items())
def test_baselines(name, options, crystals, tmp_path):
    if name in NETWORKS:
        options = {**options, "max_epochs": 1}
    elif name != "SpaceGroupForestRegressor":
        pytest.importorskip("matminer")
    X, y = crystals
    model = getattr(baselines, name)(random_state=0, **options).fit(X, y)
    again = come_back(model, tmp_path / "model", X)
    assert again.get_params() == model.get_params()


def test_ensembles_of_unlike_models(tmp_path):
    forest = baselines.SpaceGroupForestRegressor(n_estimators=3, random_state=0)
    roost = baselines.RoostRegressor(width=8, n_layers=1, max_epochs=1, random_state=0)
    X, y = load_example(return_X_y=True)
    X, y = list(X)[::12], y[::12]
    models = [("cloud", cloud()), ("forest", forest), ("roost", roost)]
    voting = VotingRegressor(models).fit(X, y)
    again = come_back(voting, tmp_path / "voting", X)
    assert again.named_estimators_["roost"] is again.estimators_[2]
    stack = StackingRegressor(models[:2], Ridge(), cv=2).fit(X, y)
    come_back(stack, tmp_path / "stack", X)


def test_bagging(tmp_path):
    model = BaggingRegressor(
        CloudRegressor(TINY, max_epochs=1), n_estimators=2, random_state=np.random.RandomState(0)
    )
    X = strings().fit_transform(FORMULAS).reshape(-1, 1)
    come_back(make_pipeline(model).fit(X, GAPS), tmp_path / "model", X)


def test_voting_classifier(tmp_path):
    tree = make_pipeline(ElementFractions(), LogisticRegression())
    net = make_pipeline(strings(), CloudClassifier(TINY, max_epochs=2, random_state=0))
    model = VotingClassifier([("net", net), ("lines", tree)], voting="soft")
    model.fit(FORMULAS, np.where(GAPS > 5, "wide", "narrow"))
    come_back(model, tmp_path / "model", method="predict_proba")


def test_unions_and_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    union = FeatureUnion([("fractions", ElementFractions()), ("vectors", clone_of_embedder())])
    columns = ColumnTransformer(
        [("crystal", union, "formula"), ("number", StandardScaler(), ["pressure"])],
        remainder="drop",
    )
    X = pandas.DataFrame({"formula": FORMULAS, "pressure": np.arange(10.0), "name": "x"})
    model = make_pipeline(columns, FunctionTransformer(np.cbrt), Ridge()).fit(X, GAPS)
    come_back(model, tmp_path / "model", X)


def clone_of_embedder():
    return make_pipeline(strings(), CloudEmbedder(TINY))


def test_an_estimator_alone(tmp_path):
    X = strings().fit_transform(FORMULAS)
    come_back(CloudRegressor(TINY, max_epochs=1).fit(X, GAPS), tmp_path / "model", X)


def test_the_command_line_reads_it(tmp_path, capsys):
    table = tmp_path / "new.csv"
    table.write_text("formula\nNaBr\n")
    for model in (cloud(), make_pipeline(strings(), CloudEmbedder(TINY), Ridge())):
        save_model(model.fit(FORMULAS, GAPS), tmp_path / "model")
        assert main(["predict", str(tmp_path / "model"), str(table)]) == 0
        value = float(capsys.readouterr().out.splitlines()[1].split(",")[1])
        assert value == pytest.approx(model.predict(["NaBr"])[0], rel=1e-5)
    save_model(make_pipeline(ElementFractions(), Ridge()).fit(FORMULAS, GAPS), tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), str(table)]) == 1
    assert "use it in Python, with sklearn_cloud.load_model" in capsys.readouterr().err


def test_the_command_line_makes_the_numbers_next_to_the_strings(crystals, tmp_path, capsys):
    X, y = crystals
    transformer = SymmetryStringTransformer(numbers="geometry")
    model = make_pipeline(transformer, CloudRegressor(max_epochs=1, random_state=0)).fit(X, y)
    again = come_back(model, tmp_path / "model", X)
    assert again[0].numbers == "geometry" and len(again[1].number_means_) == 13
    X[0].to(filename=str(tmp_path / "one.cif"))
    assert main(["predict", str(tmp_path / "model"), str(tmp_path / "one.cif")]) == 0
    value = float(capsys.readouterr().out.splitlines()[1].split(",")[1])
    assert value == pytest.approx(model.predict([str(tmp_path / "one.cif")])[0], rel=1e-4)


class Mine(CloudRegressor):
    """A class of somebody else's."""


def test_what_cannot_be_saved(tmp_path):
    X = strings().fit_transform(FORMULAS)
    for model, message in [
        (Mine(TINY, max_epochs=1), "model=Mine"),
        (CloudRegressor(TINY, max_epochs=1, callbacks=[EarlyStopping()]), "model.callbacks"),
        (GridSearchCV(cloud()[-1], {"batch_size": [8]}, cv=2), "such as best_estimator_"),
    ]:
        with pytest.raises(TypeError, match=message):
            save_model(model.fit(X, GAPS), tmp_path / "model")
    with pytest.raises(NotFittedError):
        save_model(cloud(), tmp_path / "model")
    fitted = cloud().fit(FORMULAS, GAPS)
    with pytest.raises(TypeError, match="JSON"):
        save_model(fitted, tmp_path / "model", training={"what": object()})
    assert not (tmp_path / "model").exists()
    with pytest.raises(ValueError, match="there is no model folder"):
        load_model(tmp_path / "model")
