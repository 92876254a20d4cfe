import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_cloud import (
    CloudClassifier,
    CloudRegressor,
    SymmetryStringTransformer,
    load_model,
    save_model,
)
from sklearn_cloud.__main__ import main

FORMULAS = ["NaCl", "KCl", "KBr", "MgO", "CaO", "LiF"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (CloudRegressor, [8.5, 8.4, 7.4, 7.8, 7.1, 13.6]),
        (CloudRegressor, [[8.5, 1], [8.4, 2], [7.4, 3], [7.8, 4], [7.1, 5], [13.6, 6]]),
        (CloudClassifier, ["salt", "salt", "salt", "oxide", "oxide", "salt"]),
    ],
    ids=["number", "two numbers", "class"],
)
def test_a_pipeline_comes_back(kind, target, tmp_path):
    model = make_pipeline(
        SymmetryStringTransformer(sites="set", symprec=0.05, parts=["sites", "composition"]),
        kind(max_epochs=1, random_state=0),
    ).fit(FORMULAS, target)
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(FORMULAS), model.predict(FORMULAS))
    parameters = again[0].get_params()
    assert (parameters["sites"], parameters["symprec"]) == ("set", 0.05)
    assert parameters["parts"] == ("sites", "composition")


def test_the_command_line_reads_it(tmp_path, capsys):
    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(max_epochs=1))
    save_model(model.fit(FORMULAS, [8.5, 8.4, 7.4, 7.8, 7.1, 13.6]), tmp_path / "model")
    table = tmp_path / "new.csv"
    table.write_text("formula\nNaBr\n")
    assert main(["predict", str(tmp_path / "model"), str(table)]) == 0
    value = float(capsys.readouterr().out.splitlines()[1].split(",")[1])
    assert value == pytest.approx(model.predict(["NaBr"])[0], rel=1e-5)


def test_what_cannot_be_saved(tmp_path):
    strings, regressor = SymmetryStringTransformer(), CloudRegressor(max_epochs=1)
    for model in (regressor, make_pipeline(strings, FunctionTransformer(), regressor)):
        with pytest.raises(TypeError, match="save_pretrained, and anything else with joblib"):
            save_model(model, tmp_path / "model")
    with pytest.raises(NotFittedError):
        save_model(make_pipeline(strings, regressor), tmp_path / "model")
    assert not (tmp_path / "model").exists()
    with pytest.raises(ValueError, match="there is no model folder"):
        load_model(tmp_path / "model")
