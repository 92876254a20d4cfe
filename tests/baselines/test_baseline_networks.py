import numpy as np
import pytest
import torch
from pymatgen.core import Composition, Element, Lattice, Structure
from skorch.callbacks import Callback
from torch import nn

from sklearn_cloud.baselines import CrabNetRegressor, FinderRegressor, RoostRegressor
from sklearn_cloud.baselines.composition_network import (
    CompositionNetwork,
    ElementEmbedding,
    weighted_softmax,
)
from sklearn_cloud.baselines.finder import Finder
from sklearn_cloud.crystals.crystal import ELEMENTS
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.features.elements import atomic_numbers, element_features
from sklearn_cloud.training.crystal_network import CrystalNetwork
from sklearn_cloud.training.net_regressor import NetRegressor

ANIONS = ("O", "S", "Se", "F", "Cl", "Br", "N", "P")
CATIONS = ("Li", "Na", "K", "Mg", "Ca", "Ti", "Fe", "Zn", "Al", "Y")


class FirstNumber(nn.Module):
    """As simple as a network can be."""

    def __init__(self, n_outputs):
        super().__init__()
        self.linear = nn.Linear(1, n_outputs)

    def forward(self, values):
        return self.linear(values)


class VolumeRegressor(CrystalNetwork, NetRegressor):
    """Reads the volume of the cell; notes what it reads, augments and sees."""

    log = None

    def _read_item(self, crystal):
        self.log["read"] += 1
        return (np.float32(abs(np.linalg.det(crystal.lattice))) / 100,)

    def _size(self, inputs):
        return 1

    def _augment(self, inputs, rng):
        draw = rng.uniform()
        self.log["draws"].append(draw)
        return (inputs[0] + np.float32(1e-3 * draw),)

    def _collate(self, batch):
        self.log["seen"].append([one[0] for one in batch])
        return {"values": torch.tensor(np.array(batch))}

    def _network(self):
        return FirstNumber, {}


def cubes(n):
    return [Structure(Lattice.cubic(3 + 0.1 * k), ["Na"], [[0, 0, 0]]) for k in range(n)]


def volume_model(**params):
    model = VolumeRegressor(max_epochs=3, batch_size=4, random_state=0, device="cpu", **params)
    model.log = {"read": 0, "draws": [], "seen": []}
    return model


def test_identical_crystals_are_read_once():
    model = volume_model().fit(cubes(10) * 3, np.arange(30.0))
    assert model.log["read"] == 10
    model.predict(cubes(5) * 4)
    assert model.log["read"] == 15


def test_training_rows_alone_are_augmented_anew_each_epoch():
    model = volume_model(validation_fraction=0.2).fit(cubes(20), np.arange(20.0))
    draws = model.log["draws"]
    assert len(draws) == len(set(draws)) == 3 * 16
    model.predict(cubes(20))
    assert len(draws) == 3 * 16
    again = volume_model(validation_fraction=0.2).fit(cubes(20), np.arange(20.0))
    assert again.log["draws"] == draws


def test_base_says_which_row_has_no_structure():
    with pytest.raises(ValueError, match="row 1: VolumeRegressor needs a crystal structure"):
        volume_model().fit([*cubes(1), "NaCl"], [0.0, 1.0])


def test_failed_fit_leaves_no_net_behind():
    model = volume_model().fit(cubes(10), np.arange(10.0))
    with pytest.raises(ValueError, match="row 0"):
        model.fit(["NaCl"], [1.0])
    assert not hasattr(model, "net_")


def test_a_callback_that_stops_warns_where_fit_was_called(monkeypatch):
    model = volume_model()

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    settings = {**model._fixed_settings, "callbacks": [Stop()]}
    monkeypatch.setattr(VolumeRegressor, "_fixed_settings", settings)
    with pytest.warns(UserWarning, match="interrupted after 1 of 3 epochs") as caught:
        model.fit(cubes(10), np.arange(10.0))
    assert caught[0].filename == __file__


def test_progress_bars_on_request(capsys):
    model = volume_model().fit(cubes(10), np.arange(10.0))
    assert capsys.readouterr().err == ""
    model.set_params(verbose=1).predict(cubes(10))
    assert "VolumeRegressor: reading" in capsys.readouterr().err


def test_element_features():
    features = element_features()
    assert features.shape == (118, 46)
    assert np.isfinite(features).all()
    assert not features.flags.writeable
    # one group, one period and one block each
    assert (features[:, -29:].sum(axis=1) == 3).all()
    electronegativity = {symbol: features[z - 1, 0] for symbol, z in atomic_numbers().items()}
    assert electronegativity["F"] > electronegativity["O"] > electronegativity["Cs"]
    # helium has no electronegativity: the mean
    assert electronegativity["He"] == 0.0
    assert features[:, 1].mean() == pytest.approx(0, abs=1e-6)
    assert features[:, 1].std() == pytest.approx(1, abs=1e-6)


def test_atomic_numbers():
    assert set(atomic_numbers()) == set(ELEMENTS)
    assert all(Element(symbol).Z == z for symbol, z in atomic_numbers().items())


def read(item):
    return CompositionNetwork()._read_item(read_crystal(item))


def test_fractions_of_a_composition():
    numbers, fractions = read("Fe2O3")
    assert numbers.tolist() == [8, 26]
    np.testing.assert_allclose(fractions, [0.6, 0.4])
    numbers, fractions = read(Composition({"Na": 0.25, "K": 0.75, "Cl": 1.0}))
    assert numbers.tolist() == [11, 17, 19]
    np.testing.assert_allclose(fractions, [0.125, 0.5, 0.375])


def test_a_multiple_of_a_formula_is_the_same_composition():
    key = CompositionNetwork()._key
    assert key(read_crystal("Fe2O3")) == key(read_crystal("Fe6O9"))
    assert key(read_crystal("Fe2O3")) != key(read_crystal("Fe3O4"))


def test_weighted_softmax():
    energies, fractions = torch.tensor([[0.3, -1.0, 2.0]]), torch.tensor([[0.25, 0.75, 0.0]])
    weights = np.exp([0.3, -1.0]) * [0.25, 0.75]
    expected = [*weights / weights.sum(), 0.0]
    np.testing.assert_allclose(weighted_softmax(energies, fractions)[0], expected, rtol=1e-6)


def test_untrained_elements_borrow_from_their_neighbours():
    torch.manual_seed(0)
    embed = ElementEmbedding(8)
    oxygen, sulphur, caesium = embed(torch.tensor([8, 16, 55])).detach()
    assert (oxygen - sulphur).norm() < (oxygen - caesium).norm()
    assert embed.own.weight.abs().sum() == 0


def test_finder_with_fractions_is_finder_with_an_atom_per_node():
    torch.manual_seed(0)
    network = Finder(1, width=16, n_layers=2, n_heads=4).eval()
    elements = network(torch.tensor([[8, 22]]), torch.tensor([[2 / 3, 1 / 3]]))
    atoms = network(torch.tensor([[22, 8, 8]]), torch.full((1, 3), 1 / 3))
    torch.testing.assert_close(atoms, elements)


@pytest.fixture(
    params=[
        CrabNetRegressor(width=64, n_layers=1, max_epochs=30, learning_rate=2e-3, dropout=0.0),
        FinderRegressor(width=32, n_layers=1, max_epochs=40, learning_rate=3e-3),
        RoostRegressor(width=32, n_layers=1, max_epochs=30, learning_rate=2e-3),
    ],
    ids=["CrabNet", "Finder", "Roost"],
)
def model(request):
    return request.param.set_params(random_state=0, device="cpu")


def test_padding_does_not_matter(model):
    module, params = model._network()
    torch.manual_seed(0)
    network = module(n_outputs=1, **params).eval()
    short, long = read("NaCl"), read("LiNaKRbCsFO3")
    alone, together = ({**model._collate(batch)} for batch in ([short], [short, long]))
    assert together["numbers"].shape == (2, 7)
    torch.testing.assert_close(network(**together)[:1], network(**alone))


def test_gradients_are_finite_with_padding(model):
    module, params = model._network()
    torch.manual_seed(0)
    network = module(n_outputs=1, **params)
    network(**model._collate([read("Si"), read("LiNaKRbCsFO3")])).sum().backward()
    gradients = [p.grad for p in network.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_learns_a_rule_of_the_composition(model):
    rng = np.random.RandomState(0)
    formulas, target = [], []
    for _ in range(160):
        cation, anion = rng.choice(CATIONS), rng.choice(ANIONS)
        x, y = rng.randint(1, 5, size=2)
        formulas.append(f"{cation}{x}{anion}{y}")
        target.append(y / (x + y) * Element(anion).X - x / (x + y) * Element(cation).X)
    target = np.array(target)
    model.fit(formulas[:120], target[:120])
    error = np.abs(model.predict(formulas[120:]) - target[120:]).mean()
    assert error < 0.3 * np.abs(np.median(target[:120]) - target[120:]).mean()


@pytest.mark.parametrize("cls, width", [(CrabNetRegressor, 6), (FinderRegressor, 30)])
def test_width_that_does_not_divide(cls, width):
    with pytest.raises(ValueError, match=f"width={width} must be a multiple"):
        cls(width=width, device="cpu").fit(["NaCl", "KCl", "LiF"] * 4, np.arange(12.0))
