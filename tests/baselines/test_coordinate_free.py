import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from sklearn_cloud.baselines import MatInFormerRegressor, WrenformerRegressor
from sklearn_cloud.baselines.matinformer import crystal_words, describe_composition, vocabulary
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.features.elements import element_features

FCC = Lattice.from_parameters(1, 1, 1, 60, 60, 60)
SALT = Structure(FCC.scale(44.8), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ZINC_BLENDE = Structure(FCC.scale(44.8), ["Na", "Cl"], [[0, 0, 0], [0.25, 0.25, 0.25]])
PEROVSKITE = Structure(
    Lattice.cubic(3.9),
    ["Ba", "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
)
RUTILE = Structure(
    Lattice.tetragonal(4.594, 2.959),
    ["Ti", "Ti", "O", "O", "O", "O"],
    [[0, 0, 0], [0.5] * 3, [0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5]]
    + [[0.805, 0.195, 0.5]],
)
CRYSTALS = [SALT, ZINC_BLENDE, PEROVSKITE, RUTILE]
REGRESSORS = [WrenformerRegressor, MatInFormerRegressor]
SMALL = {"width": 16, "n_layers": 1, "n_heads": 2, "device": "cpu", "random_state": 0}


def read(regressor, crystal):
    return regressor()._read_item(read_crystal(crystal))


def moved(crystal):
    """The same crystal with other origin, order of sites and cell."""
    other = Structure.from_sites(list(crystal)[::-1])
    other.translate_sites(range(len(other)), [0.5, 0.5, 0.5])
    other.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    return other


@pytest.mark.parametrize("crystal", CRYSTALS)
@pytest.mark.parametrize("regressor", REGRESSORS)
def test_input_does_not_depend_on_the_description_of_the_crystal(regressor, crystal):
    expected, found = read(regressor, crystal), read(regressor, moved(crystal))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_lengths_of_the_cell_are_not_seen(regressor):
    larger = PEROVSKITE.copy().scale_lattice(1.3 * PEROVSKITE.volume)
    for one, other in zip(read(regressor, PEROVSKITE), read(regressor, larger), strict=True):
        np.testing.assert_array_equal(one, other)


def test_orbits_of_perovskite():
    orbits = read(WrenformerRegressor, PEROVSKITE)
    assert orbits.space_group == 221
    assert orbits.letters.tolist() == [0, 1, 2]  # 1a, 1b, 3c
    assert orbits.multiplicities.tolist() == [1, 1, 3]
    assert orbits.elements.tolist() == [56, 22, 8]
    assert orbits.orbits.tolist() == [0, 1, 2]


def test_batch_of_orbits():
    alloy = SALT.copy()
    alloy.replace(0, {"Na": 0.25, "K": 0.75})
    batch = WrenformerRegressor()._collate([read(WrenformerRegressor, c) for c in (alloy, RUTILE)])
    assert batch["space_groups"].tolist() == [225, 136]
    assert batch["weights"].tolist() == [[0.5, 0.5], [pytest.approx(1 / 3), pytest.approx(2 / 3)]]
    by_element = dict(zip(batch["elements"][0, 0].tolist(), batch["occupancies"][0, 0].tolist()))
    assert by_element == {11: 0.25, 19: 0.75}
    assert batch["elements"][0, 1].tolist() == [17, 0]
    assert batch["occupancies"][0, 1].tolist() == [1, 0]


def outputs(model, batch):
    module, params = model._network()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = module(n_outputs=2, **params).eval()
    with torch.no_grad():
        return net(**batch).numpy()


def test_order_of_the_orbits_and_padding_leave_the_prediction_alone():
    model = WrenformerRegressor(**SMALL)
    one = read(WrenformerRegressor, PEROVSKITE)
    order = [2, 0, 1]
    turned = one._replace(
        letters=one.letters[order],
        multiplicities=one.multiplicities[order],
        elements=one.elements[order],
    )
    alone = outputs(model, model._collate([one]))
    np.testing.assert_allclose(outputs(model, model._collate([turned])), alone, atol=1e-5)
    many = Structure(Lattice.from_parameters(3, 4, 5, 80, 85, 95), ["H"] * 6,
                     np.random.RandomState(0).rand(6, 3))  # fmt: skip
    padded = model._collate([one, read(WrenformerRegressor, many)])
    assert padded["letters"].shape == (2, 6)
    np.testing.assert_allclose(outputs(model, padded)[0], alone[0], atol=1e-5)


def test_words_of_perovskite():
    words = crystal_words(read_crystal(PEROVSKITE), symprec=0.1)
    assert words == (
        ["[CLS]", "system Cubic", "point group m-3m", "space group 221", "1a", "1b", "3c"]
        + ["Ba", "0.2", "Ti", "0.2", "O", "0.6"]
    )
    ids = read(MatInFormerRegressor, PEROVSKITE).token_ids
    names = list(vocabulary())
    assert [names[i] for i in ids] == words


def test_vocabulary_holds_every_space_group():
    words = list(vocabulary())
    assert words[0] == "[PAD]"
    assert sum(word.startswith("system ") for word in words) == 7
    assert sum(word.startswith("point group ") for word in words) == 32
    assert sum(word.startswith("space group ") for word in words) == 230


def test_descriptors_of_a_composition():
    table = element_features().astype(float)
    mean, deviation, low, high = describe_composition({"O": 3.0, "Na": 1.0}).reshape(4, -1)
    np.testing.assert_allclose(mean, 0.75 * table[7] + 0.25 * table[10], atol=1e-6)
    np.testing.assert_allclose(deviation, np.sqrt(0.1875) * np.abs(table[7] - table[10]), atol=1e-6)
    np.testing.assert_allclose(low, np.minimum(table[7], table[10]), atol=1e-6)
    np.testing.assert_allclose(high, np.maximum(table[7], table[10]), atol=1e-6)
    turned = describe_composition({"Na": 2.0, "O": 6.0})
    assert (turned == describe_composition({"O": 3.0, "Na": 1.0})).all()


def test_descriptors_reach_the_prediction():
    model = MatInFormerRegressor(**SMALL)
    batch = model._collate([read(MatInFormerRegressor, SALT)])
    before = outputs(model, batch)
    assert not np.allclose(
        outputs(model, {**batch, "descriptors": batch["descriptors"] + 1}), before
    )


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_polymorphs_are_told_apart(regressor):
    model = regressor(**SMALL, dropout=0.0, max_epochs=60, learning_rate=0.01,
                      validation_fraction=0)  # fmt: skip
    model.fit([SALT, ZINC_BLENDE], [0.0, 1.0])
    assert np.abs(model.predict([moved(ZINC_BLENDE), SALT]) - [1.0, 0.0]).max() < 0.2


def test_heads_must_divide_the_width():
    model = WrenformerRegressor(width=10, n_heads=4, validation_fraction=0)
    with pytest.raises(ValueError, match="multiple of n_heads"):
        model.fit(CRYSTALS, [0.0, 1.0, 2.0, 3.0])
