import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure, SymmOp

from sklearn_cloud.baselines import (
    ALIGNNRegressor,
    CGCNNRegressor,
    CoGNRegressor,
    CoNGNRegressor,
    CrysToGraphRegressor,
    MEGNetRegressor,
)
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.graphs import merged_graphs
from sklearn_cloud.graphs.crystal_graphs import softmax_by

CGCNN = {"atom_width": 16, "n_convolutions": 2, "head_width": 16, "learning_rate": 0.01}
MEGNET = {"n_blocks": 2, "hidden_width": 16, "width": 16, "cutoff": 5.0, "learning_rate": 0.01}
ALIGNN = {
    "max_neighbors": 4,
    "width": 16,
    "n_layers": 1,
    "n_convolutions": 1,
    "learning_rate": 0.01,
}
COGN = {"width": 16, "n_blocks": 2, "message_layers": 2, "learning_rate": 0.01}
CRYSTOGRAPH = {
    "max_neighbors": 4,
    "width": 16,
    "bond_width": 8,
    "n_heads": 2,
    "n_convolutions": 1,
    "n_layers": 1,
    "learning_rate": 0.01,
}
MODELS = [
    pytest.param(CGCNNRegressor, CGCNN, id="cgcnn"),
    pytest.param(MEGNetRegressor, MEGNET, id="megnet"),
    pytest.param(ALIGNNRegressor, ALIGNN, id="alignn"),
    pytest.param(CoGNRegressor, COGN, id="cogn"),
    pytest.param(CoNGNRegressor, COGN, id="congn"),
    pytest.param(CrysToGraphRegressor, CRYSTOGRAPH, id="crystograph"),
]


def cubic(a, cation="Cs"):
    return Structure(Lattice.cubic(a), [cation, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


ROCK_SALT_CELL = Structure.from_spacegroup(
    225, Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
QUARTZ_CELL = Structure.from_spacegroup(
    154, Lattice.hexagonal(4.916, 5.405), ["Si", "O"], [[0.47, 0, 0], [0.413, 0.267, 0.286]]
)
SIZES = np.linspace(3.5, 5.0, 24)
CRYSTALS = [cubic(a, cation) for a in SIZES for cation in ("Cs", "Na")]
TARGETS = np.repeat(SIZES, 2)


def fitted(model, parameters, max_epochs=3, **more):
    model = model(**parameters, max_epochs=max_epochs, random_state=0, **more)
    return model.fit(CRYSTALS, TARGETS)


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_learns_from_distances(model, parameters):
    """Composition and topology are the same for all targets: only the distances differ."""
    regressor = fitted(model, parameters, max_epochs=60)
    unseen = [cubic(a, "Na") for a in (3.7, 4.25, 4.8)]
    error = np.abs(regressor.predict(unseen) - [3.7, 4.25, 4.8])
    assert error.max() < 0.5 * TARGETS.std()


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_cell_origin_and_order_leave_no_trace(model, parameters):
    regressor = fitted(model, parameters)
    crystal = Structure(
        Lattice.tetragonal(4.594, 2.959),
        ["Ti", "Ti", "O", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.5, 0.5, 0.5],
            [0.305, 0.305, 0],
            [0.695, 0.695, 0],
            [0.195, 0.805, 0.5],
            [0.805, 0.195, 0.5],
        ],
    )
    shifted = crystal.copy()
    shifted.translate_sites(range(6), [0.21, 0.4, -0.3], to_unit_cell=False)
    turned = SymmOp.from_axis_angle_and_translation([1, 2, 3], 70)
    variants = [
        crystal,
        crystal.copy().apply_operation(turned),
        crystal * (2, 1, 3),
        crystal * [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        shifted,
        Structure.from_sites(list(crystal)[::-1]),
    ]
    predictions = regressor.predict(variants)
    stretched = Structure(crystal.lattice.scale(80), crystal.species, crystal.frac_coords)
    difference = abs(predictions[0] - regressor.predict([stretched])[0])
    assert np.ptp(predictions) < 0.02 * difference


def alone_in_a_box(element):
    return Structure(Lattice.cubic(30), [element], [[0, 0, 0]])


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_isolated_atoms_are_told_apart(model, parameters):
    regressor = fitted(model, parameters)
    alone = [alone_in_a_box("Cs"), alone_in_a_box("Cl")]
    predictions = regressor.predict(alone)
    assert np.isfinite(predictions).all()
    assert predictions[0] != predictions[1]
    # and their company in the batch does not matter
    np.testing.assert_allclose(regressor.predict(alone + CRYSTALS)[:2], predictions, atol=1e-5)


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_trains_on_isolated_atoms_alone(model, parameters):
    alone = [alone_in_a_box(element) for element in ("Cs", "Cl", "Na", "Ar")]
    regressor = model(**parameters, max_epochs=2, batch_size=1, random_state=0)
    assert np.isfinite(regressor.fit(alone, [1.0, 2.0, 3.0, 4.0]).predict(alone)).all()


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_disordered_sites_are_weighted_by_occupancy(model, parameters):
    regressor = fitted(model, parameters)
    shares = [{"Na": 1.0}, {"Na": 0.999, "Cs": 0.001}, {"Na": 0.5, "Cs": 0.5}, {"Cs": 1.0}]
    pure, nearly, mixed, other = regressor.predict([cubic(4.2, share) for share in shares])
    span = abs(pure - other)
    assert 0 < abs(pure - nearly) < 0.05 * span
    assert min(abs(pure - mixed), abs(other - mixed)) > 0.02 * span


def test_perturbation_is_reproducible_and_for_training_only():
    def curve(**more):
        return fitted(CGCNNRegressor, CGCNN, **more)

    plain, first, second = curve(), curve(perturbation=0.1), curve(perturbation=0.1)
    assert first.loss_curve_ == second.loss_curve_
    assert first.loss_curve_ != plain.loss_curve_
    np.testing.assert_array_equal(first.predict(CRYSTALS), second.predict(CRYSTALS))
    np.testing.assert_array_equal(first.predict(CRYSTALS), first.predict(CRYSTALS))


def test_perturbation_is_new_in_every_epoch():
    graphs = []

    class Watched(CGCNNRegressor):
        def _augment(self, inputs, rng):
            graphs.append(super()._augment(inputs, rng))
            return graphs[-1]

    model = Watched(**CGCNN, max_epochs=2, perturbation=0.1, validation_fraction=0, random_state=0)
    model.fit(CRYSTALS[:1] * 2, [1.0, 2.0])
    assert len(graphs) == 4
    assert len({graph.vectors.tobytes() for graph in graphs}) == 4


@pytest.mark.parametrize(
    ("model", "parameter"),
    [
        (CGCNNRegressor, {"perturbation": -0.1}),
        (CGCNNRegressor, {"max_neighbors": 0}),
        (CGCNNRegressor, {"cutoff": 0}),
        (MEGNetRegressor, {"cutoff": -1.0}),
        (MEGNetRegressor, {"n_blocks": 0}),
        (ALIGNNRegressor, {"max_angles": 0}),
        (CoGNRegressor, {"connectivity": "bonds"}),
        (CoGNRegressor, {"symprec": 0}),
        (CrysToGraphRegressor, {"n_heads": 0}),
        (CrysToGraphRegressor, {"n_heads": 3}),
    ],
)
def test_bad_parameter(model, parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        model(**parameter).fit(CRYSTALS, TARGETS)


def test_softmax_of_groups():
    scores, groups = torch.tensor([[1.0], [900.0], [3.0], [901.0]]), torch.tensor([0, 2, 0, 2])
    weights = softmax_by(scores, groups, 3)[:, 0]
    for group in (0, 2):
        expected = torch.softmax(scores[groups == group, 0], dim=0)
        torch.testing.assert_close(weights[groups == group], expected)


@pytest.mark.parametrize("model", [ALIGNNRegressor, CoNGNRegressor, CrysToGraphRegressor])
def test_crystal_with_too_many_angles_is_refused(model):
    with pytest.raises(ValueError, match=r"row 1: .*line graph has [\d,]+ angles .*max_angles=300"):
        model(max_angles=300).fit([alone_in_a_box("Ar"), *CRYSTALS[:3]], np.arange(4.0))


@pytest.mark.parametrize(("model", "parameters"), MODELS[1:])
def test_what_is_equivalent_is_computed_once(model, parameters, monkeypatch):
    """Merged graphs are smaller, and the prediction is that of the graphs with everything."""
    crystals = [QUARTZ_CELL, ROCK_SALT_CELL]
    regressor = fitted(model, parameters)
    expected, merged = regressor.predict(crystals), sizes(regressor, crystals)
    monkeypatch.setattr(merged_graphs, "_refine", all_different)
    np.testing.assert_allclose(regressor.predict(crystals), expected, rtol=1e-4)
    quartz, rock_salt = sizes(regressor, crystals) / merged
    assert quartz >= 1
    assert rock_salt > 5


def all_different(graph, *_):
    return np.arange(graph.n_sites), np.arange(len(graph.centers))


def sizes(regressor, crystals):
    return np.array([regressor._read_item(read_crystal(crystal)).size for crystal in crystals])
