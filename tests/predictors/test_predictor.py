import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from sklearn_cloud import CloudRegressor, GraphRegressor, ModelFolderError, save_model
from sklearn_cloud.predictors import list_predictors, load_card, load_predictor, loading
from sklearn_cloud.predictors.properties import PROPERTIES

DISORDERED = Structure(Lattice.cubic(2.9), [{"Fe": 0.5, "Co": 0.5}], [[0, 0, 0]])
CURIUM = Structure(Lattice.cubic(5.0), ["Cm", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_predictions_in_the_stated_unit(data, tiny, crystals):
    ensemble, _, _ = tiny[1]["bulk_modulus"]
    predictor = load_predictor("bulk_modulus")
    assert predictor.card["unit"] == "GPa"
    value = predictor.predict(list(crystals[0][:5]))
    np.testing.assert_allclose(value, 10 ** ensemble.predict(crystals[0][:5]), rtol=5e-3)
    lower, upper = predictor.predict_interval(crystals[0][:5]).T
    assert (lower < value).all() and (value < upper).all()
    _, std = predictor.predict(crystals[0][:5], return_std=True)
    assert (2 * std < upper - lower).all() and (std > 0).all()
    assert (predictor.applicability(crystals[0][:5]) > 0).all()
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        predictor.predict_interval(crystals[0][:5], coverage=1.5)


def test_impossible_values_are_raised_to_the_lowest(data, crystals):
    predictor = load_predictor("experimental_band_gap")
    formulas = [s.reduced_formula for s in crystals[0]]
    assert predictor.predict_interval(formulas).min() == 0.0
    assert PROPERTIES["experimental_band_gap"].lowest == 0.0


def test_it_is_frozen(data, crystals):
    predictor = load_predictor("bulk_modulus")
    check_is_fitted(predictor)
    before = predictor.predict(crystals[0][:3])
    assert predictor.fit(crystals[0], crystals[1]) is predictor and clone(predictor) is predictor
    pipeline = clone(make_pipeline(FunctionTransformer(), predictor)).fit(crystals[0], crystals[1])
    again = pickle.loads(pickle.dumps(predictor))
    for model in (predictor, pipeline, again):
        np.testing.assert_array_equal(model.predict(crystals[0][:3]), before)
    assert again.card == predictor.card
    assert predictor.get_params(deep=False)["on_error"] == "raise"


def test_classes(data, crystals):
    predictor = load_predictor("experimental_is_metal", on_error="warn")
    assert predictor.classes_.tolist() == [False, True]
    labels = predictor.predict(crystals[0][:10])
    probabilities = predictor.predict_proba(crystals[0][:10])
    assert (labels == (probabilities[:, 1] > 0.5)).all()
    with pytest.warns(UserWarning, match="row 1"):
        labels = predictor.predict([crystals[0][0], "no crystal"])
    assert labels.tolist()[1] is None and labels[0] in (True, False)


def test_formulas_where_they_are_enough(data, crystals):
    predictor = load_predictor("experimental_band_gap")
    structures = list(crystals[0][:3])
    formulas = [s.reduced_formula for s in structures]
    np.testing.assert_array_equal(predictor.predict(structures), predictor.predict(formulas))
    alloy = Structure(Lattice.cubic(5.6), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0] * 3, [0.5] * 3])
    assert np.isfinite(predictor.predict([alloy])).all()


def test_bad_rows_are_named_and_the_others_predicted(data, crystals):
    rows = [crystals[0][0], DISORDERED, "NaCl", "no crystal", crystals[0][1]]
    with pytest.raises(ValueError, match="3 of 5 rows") as caught:
        load_predictor("bulk_modulus").predict(rows)
    for text in ("row 1: the crystal is disordered", "row 2: .*needs a crystal structure", "row 3"):
        caught.match(text)
    lenient = load_predictor("bulk_modulus", on_error="warn")
    with pytest.warns(UserWarning, match=r"3 of 5 rows cannot be used.*rows \[1, 2, 3\]"):
        values = lenient.predict(rows)
    assert np.isnan(values).tolist() == [False, True, True, True, False]
    np.testing.assert_array_equal(values[[0, 4]], lenient.predict([rows[0], rows[4]]))
    with pytest.warns(UserWarning, match="2 of 2 rows"):
        assert np.isnan(lenient.predict_interval(["NaCl", "KCl"])).all()
    with pytest.raises(ValueError, match="on_error must be"):
        load_predictor("bulk_modulus", on_error="ignore").predict(rows)


def test_elements_that_no_training_crystal_has(data, crystals):
    predictor = load_predictor("bulk_modulus")
    with pytest.warns(UserWarning, match="1 of 2 crystals have elements .* row 1: Cm"):
        values = predictor.predict([crystals[0][0], CURIUM])
    assert np.isfinite(values).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictor.predict(crystals[0][:2])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bulk modulus", "Did you mean 'bulk_modulus'"),
        ("sheer_modulus", "Did you mean 'shear_modulus'"),
        ("colour", "the predictors are highest_phonon_peak, shear"),
    ],
)
def test_unknown_property(name, message, data):
    with pytest.raises(ValueError, match=message):
        load_predictor(name)
    with pytest.raises(TypeError, match="is a string, got int"):
        load_predictor(7)
    with pytest.raises(ValueError, match=r"not a property: pass pathlib.Path\('my/folder'\)"):
        load_predictor("my/folder")


def test_no_predictors(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "DATA", tmp_path / "none")
    assert list_predictors() == []
    with pytest.raises(ValueError, match="this installation has none"):
        load_predictor("bulk_modulus")


@pytest.mark.parametrize("damage", ["card", "arrays", "missing", "other"])
def test_damaged_files_are_refused(damage, data, tmp_path):
    folder = shutil.copytree(data / "bulk_modulus", tmp_path / "bulk_modulus")
    arrays = next(folder.glob("*.safetensors"))
    if damage == "card":
        (folder / "card.json").write_text((folder / "card.json").read_text().replace("GPa", "kPa"))
    elif damage == "arrays":
        arrays.write_bytes(arrays.read_bytes()[:-1] + b"?")
    elif damage == "missing":
        arrays.unlink()
    else:
        shutil.copy(data / "experimental_band_gap/card.json", folder / "card.json")
    with pytest.raises(ModelFolderError):
        load_predictor(folder)
    assert load_predictor(Path(data / "bulk_modulus"))


def test_card(data):
    predictor = load_predictor("bulk_modulus")
    card = load_card("bulk_modulus")
    assert predictor.card == card and repr(card) == "PredictorCard('bulk_modulus')"
    for text in (str(card), card._repr_html_(), predictor._repr_html_(), card.to_rst()):
        for part in (
            "GPa",
            "oxides",
            "mean absolute error",
            "MIT",
            "coverage of the 90 % interval",
        ):
            assert part in text.replace("\\", "")
    assert "<script" not in card._repr_html_()
    assert repr(predictor) == "PredictorRegressor(bulk_modulus (GPa))"
    assert predictor._repr_mimebundle_()["text/html"] == card._repr_html_()


def test_warm_start(data, tmp_path):
    """The fine-tuned encoder of a predictor is a start for another property."""
    encoder = load_predictor("shear_modulus").save_encoder(tmp_path / "encoder")
    strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"]
    options = {"max_epochs": 1, "validation_fraction": 0, "random_state": 0, "device": "cpu"}
    model = CloudRegressor(encoder, learning_rate=1e-9, **options).fit(strings, [1.0, 2.0, 3.0])
    tuned = load_predictor("shear_modulus").ensemble.members_["CLOUD mini"][0]
    ours, theirs = model.net_.module_.encoder, tuned.net_.module_.encoder
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=1e-5)
    with pytest.raises(ValueError, match="has no encoder of strings"):
        load_predictor("experimental_band_gap").save_encoder(tmp_path / "none")


def test_warm_start_of_graphs(data, crystals, tmp_path):
    predictor = load_predictor("highest_phonon_peak")
    network = predictor.save_graph_network(tmp_path / "network")
    options = {"max_epochs": 1, "random_state": 0, "device": "cpu"}
    model = GraphRegressor(network, learning_rate=1e-9, **options).fit(crystals[0][:4], range(4))
    tuned = predictor.ensemble.members_["graph network"][0]
    ours, theirs = model.net_.module_.encoder, tuned.net_.module_.encoder
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=1e-5)
    with pytest.raises(ValueError, match=r"has no graph network \(its members are .*'mini'"):
        load_predictor("bulk_modulus").save_graph_network(tmp_path / "none")


def test_saving_says_where_it_is(data, tmp_path):
    predictor = load_predictor("bulk_modulus")
    for model in (predictor, make_pipeline(FunctionTransformer(), predictor)):
        with pytest.raises(TypeError, match=r"part of sklearn-cloud.*load_predictor\('bulk_mod"):
            save_model(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()
