"""What every baseline promises: those of the registry that are classes."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Composition, Lattice, Structure
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_validate

from sklearn_cloud import baselines
from sklearn_cloud.baselines.registry import MODELS, find_model

#: Sizes with which a model is fitted in a moment, by the parameters that it has.
QUICK = {
    "max_epochs": 2,
    "width": 8,
    "atom_width": 8,
    "head_width": 8,
    "hidden_width": 8,
    "n_layers": 1,
    "n_heads": 2,
    "n_convolutions": 1,
    "n_blocks": 1,
    "n_estimators": 10,
    "min_samples_leaf": 3,
    "properties": ["energy"],
}
FIXED = {"random_state": 0, "device": "cpu"}


def registered(classifier=False):
    """Names of the models that are classes of the package."""
    return [
        name
        for name, entry in MODELS.items()
        if (builder := entry.classifier if classifier else entry.regressor) and builder[0].isupper()
    ]


ROCK_SALT = ([[0, 0, 0], [0.5, 0.5, 0.5]], Lattice.from_parameters(1, 1, 1, 60, 60, 60))
CAESIUM_CHLORIDE = ([[0, 0, 0], [0.5, 0.5, 0.5]], Lattice.cubic(1))
ZINC_BLENDE = ([[0, 0, 0], [0.25, 0.25, 0.25]], Lattice.from_parameters(1, 1, 1, 60, 60, 60))


def binary(cation, anion, prototype=ROCK_SALT, volume=40.0):
    positions, lattice = prototype
    return Structure(lattice.scale(volume), [cation, anion], positions)


PAIRS = (
    (ROCK_SALT, "Li F, Na Cl, K Br, Mg O, Ca S, Sr Se, Ba Te, Rb I"),
    (CAESIUM_CHLORIDE, "Cs Cl, Cs Br, Tl I, Ni Al, Cu Zn, Fe Ti, Li Hg, Ag Mg"),
    (ZINC_BLENDE, "Zn S, Ga As, In P, Cd Te, B N, Al Sb, Cu Cl, Si C"),
)


def crystals():
    """24 binary crystals and a target that depends on elements and structure."""
    structures, target = [], []
    for place, (prototype, pairs) in enumerate(PAIRS):
        for k, pair in enumerate(pairs.split(", ")):
            structures.append(binary(*pair.split(), prototype, volume=30.0 + 4 * k))
            target.append(10.0 * place + k)
    return structures, np.array(target)


STRUCTURES, TARGET = crystals()


def build(name):
    if not MODELS[name].is_installed:
        pytest.skip(f"needs the extra {MODELS[name].extra}")
    model = MODELS[name].load()()
    known = model.get_params()
    return model.set_params(**{p: v for p, v in (QUICK | FIXED).items() if p in known})


@pytest.fixture(params=registered())
def model(request):
    """An unfitted baseline."""
    return build(request.param)


@pytest.fixture(scope="module", params=registered())
def fitted(request):
    """A fitted baseline; tests must not change it."""
    return build(request.param).fit(STRUCTURES, TARGET)


def test_unknown_name_is_an_attribute_error():
    assert "RoostRegressor" in dir(baselines)
    with pytest.raises(AttributeError, match="no attribute 'Rooster'"):
        baselines.Rooster  # noqa: B018


def test_parameters(model):
    params = model.get_params()
    assert clone(model).get_params() == params
    assert type(model)(**params).get_params() == params
    for name, default in type(model)().get_params().items():
        assert model.set_params(**{name: default}).get_params()[name] == default
    with pytest.raises(ValueError, match="Invalid parameter"):
        model.set_params(no_such_parameter=1)


@pytest.mark.parametrize("parameter", ["max_epochs", "batch_size", "learning_rate", "precision"])
def test_impossible_parameter(model, parameter):
    if parameter not in model.get_params():
        pytest.skip("no network is trained")
    with pytest.raises(ValueError, match=f"'{parameter}'"):
        model.set_params(**{parameter: 0}).fit(STRUCTURES, TARGET)


def test_absent_device(model):
    import torch

    if "device" not in model.get_params():
        pytest.skip("computes on the CPU alone")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match="device='cuda'"):
        model.set_params(device="cuda").fit(STRUCTURES, TARGET)


def test_mixed_precision(fitted):
    import torch

    if "precision" not in fitted.get_params():
        pytest.skip("no network is trained")
    mixed = clone(fitted).set_params(precision="bf16").fit(STRUCTURES, TARGET)
    assert mixed.loss_curve_ != fitted.loss_curve_
    np.testing.assert_allclose(mixed.loss_curve_, fitted.loss_curve_, rtol=0.1)
    module = mixed.net_.module_
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    # Trained in another precision, but not predicting in it.
    exact = clone(fitted).set_params(precision="fp32").fit(STRUCTURES, TARGET)
    exact.net_.module_.load_state_dict(module.state_dict())
    exact.targets_ = mixed.targets_
    np.testing.assert_array_equal(mixed.predict(STRUCTURES), exact.predict(STRUCTURES))


def test_fit_returns_self_and_changes_no_input(model):
    structures, target, params = list(STRUCTURES), TARGET.copy(), model.get_params()
    before = [structure.copy() for structure in structures]
    assert model.fit(structures, target) is model
    model.predict(structures)
    assert all(a is b for a, b in zip(structures, STRUCTURES))
    assert structures == before
    assert (target == TARGET).all()
    assert model.get_params() == params


def test_predictions(fitted):
    predictions = fitted.predict(STRUCTURES)
    assert predictions.shape == (24,)
    assert predictions.dtype == np.float64
    assert np.isfinite(predictions).all()
    assert np.isfinite(fitted.score(STRUCTURES, TARGET))


def test_learns_from_the_target(fitted):
    high = clone(fitted).fit(STRUCTURES, TARGET + 1000.0).predict(STRUCTURES)
    np.testing.assert_allclose(high.mean() - fitted.predict(STRUCTURES).mean(), 1000.0, atol=1.0)


def test_random_state_reproduces(fitted):
    again = clone(fitted).fit(STRUCTURES, TARGET)
    assert (again.predict(STRUCTURES) == fitted.predict(STRUCTURES)).all()
    if "random_state" in fitted.get_params():
        other = clone(fitted).set_params(random_state=1).fit(STRUCTURES, TARGET)
        assert not np.allclose(other.predict(STRUCTURES), fitted.predict(STRUCTURES))


def test_global_random_numbers_are_untouched(model):
    import torch

    torch.manual_seed(7)
    np.random.seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    model.fit(STRUCTURES, TARGET).predict(STRUCTURES)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


def test_order_and_repeats_of_the_rows_do_not_matter(fitted):
    expected = fitted.predict(STRUCTURES)
    rows = np.random.RandomState(0).permutation(np.tile(np.arange(24), 2))
    assert (fitted.predict([STRUCTURES[i] for i in rows]) == expected[rows]).all()
    alone = np.concatenate([fitted.predict([structure]) for structure in STRUCTURES])
    np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-4)


def test_batch_size_does_not_matter_for_predictions(fitted):
    if "batch_size" not in fitted.get_params():
        pytest.skip("no batches")
    copy = pickle.loads(pickle.dumps(fitted)).set_params(batch_size=3)
    assert (copy.predict(STRUCTURES) == fitted.predict(STRUCTURES)).all()


def test_pickle(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    assert (copy.predict(STRUCTURES) == fitted.predict(STRUCTURES)).all()
    unfitted = pickle.loads(pickle.dumps(clone(fitted)))
    assert unfitted.get_params() == fitted.get_params()


def test_cross_validate(model):
    scores = cross_validate(
        model, STRUCTURES, TARGET, cv=3, scoring="neg_mean_absolute_error", error_score="raise"
    )
    assert np.isfinite(scores["test_score"]).all()


@pytest.mark.parametrize("convert", [tuple, pd.Series, "array"], ids=["tuple", "Series", "array"])
def test_collections_of_crystals(fitted, convert):
    rows = STRUCTURES
    if convert == "array":
        X = np.empty(len(rows), dtype=object)
        X[:] = rows
    else:
        X = convert(rows)
    assert (fitted.predict(X) == fitted.predict(rows)).all()


def test_several_targets(model):
    predictions = model.fit(STRUCTURES, np.column_stack([TARGET, -TARGET])).predict(STRUCTURES)
    assert predictions.shape == (24, 2)


def test_sample_weight_is_used(model):
    weights = np.where(TARGET < 10, 1.0, 1e-6)
    light = clone(model).fit(STRUCTURES, TARGET, sample_weight=weights).predict(STRUCTURES)
    assert not np.allclose(light, model.fit(STRUCTURES, TARGET).predict(STRUCTURES))


def test_unfitted(model):
    with pytest.raises(NotFittedError):
        model.predict(STRUCTURES)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_target_that_is_no_number(model, bad):
    target = TARGET.copy()
    target[3] = bad
    with pytest.raises(ValueError, match="(?i)nan|infinity"):
        model.fit(STRUCTURES, target)


@pytest.mark.parametrize(
    "X, y, error, message",
    [
        ([], [], ValueError, "(?i)empty|0 sample|no crystals"),
        ([STRUCTURES[0], None], [0.0, 1.0], TypeError, "row 1: "),
        ([STRUCTURES[0], "Qq2"], [0.0, 1.0], ValueError, "row 1: "),
        (STRUCTURES[0], [0.0, 1.0], TypeError, "list"),
        (STRUCTURES, TARGET[:-1], ValueError, "(?i)inconsistent"),
        (STRUCTURES, None, ValueError, "(?i)requires y"),
    ],
    ids=["empty", "None", "no formula", "no list", "lengths", "no target"],
)
def test_bad_input_of_fit(model, X, y, error, message):
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_bad_row_of_predict(fitted):
    with pytest.raises(TypeError, match="row 2: "):
        fitted.predict([*STRUCTURES[:2], 3.0])


def predicts_or_explains(model, crystal, message):
    """A finite number, or a ValueError that names the row and says what is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            prediction = model.predict([STRUCTURES[0], crystal])
    except ValueError as error:
        assert str(error).startswith("row 1: ")
        assert message in str(error)
    else:
        assert np.isfinite(prediction).all()


def test_formula(fitted):
    if find_model(type(fitted).__name__).reads == "composition":
        same = fitted.predict(["NaCl", "Na2Cl2", Composition("NaCl"), binary("Na", "Cl")])
        assert (same == same[0]).all()
    else:
        with pytest.raises(ValueError, match="row 1: .*structure"):
            fitted.predict([STRUCTURES[0], "NaCl"])


def test_isolated_atom(fitted):
    predicts_or_explains(fitted, Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]]), "neighbour")


def test_one_element_crystal(fitted):
    copper = Structure(Lattice.from_parameters(2.55, 2.55, 2.55, 60, 60, 60), ["Cu"], [[0, 0, 0]])
    assert np.isfinite(fitted.predict([copper])).all()


@pytest.mark.parametrize("element", ["Pr", "Og"])
def test_element_absent_from_training(fitted, element):
    predicts_or_explains(fitted, binary(element, "O"), element)


def test_disordered_site(fitted):
    positions, lattice = ROCK_SALT
    alloy = Structure(lattice.scale(40.0), [{"Na": 0.5, "K": 0.5}, "Cl"], positions)
    predicts_or_explains(fitted, alloy, "disordered")


def test_fit_on_odd_crystals_predicts_or_explains(model):
    atom = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
    try:
        predictions = model.fit([atom] * 2 + STRUCTURES, np.r_[0, 1, TARGET]).predict([atom])
    except ValueError as error:
        assert str(error).startswith("row 0: ")
    else:
        assert np.isfinite(predictions).all()
