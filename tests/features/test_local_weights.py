"""Potentials whose weights the user provides: M3GNet, TensorNet, MACE."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from sklearn_cloud import load_model, save_model
from sklearn_cloud.baselines import PhysicsTreesRegressor, PotentialEnergyRegressor
from sklearn_cloud.features import PotentialFeatures, PotentialPhysics
from sklearn_cloud.features.force_fields import load_force_field
from sklearn_cloud.features.frames import Frame
from sklearn_cloud.features.local_weights import LOCAL_WEIGHTS, find_weights
from sklearn_cloud.features.potential_adapters import load_potential

PACKAGES = {"m3gnet": "matgl", "tensornet": "matgl", "mace": "mace"}
EXTRAS = {"m3gnet": "matgl", "tensornet": "matgl", "mace": "mace"}


def rock_salt(a, *elements):
    return Structure(Lattice(a / 2 * (1 - np.eye(3))), elements, [[0, 0, 0], [0.5, 0.5, 0.5]])


SALT = rock_salt(5.69, "Na", "Cl")
CELLS = [SALT, SALT * (2, 1, 1), rock_salt(5.9, "Na", "Cl"), rock_salt(5.3, "Cl", "Na")]
LOW = Structure(  # without any symmetry
    Lattice.from_parameters(3.8, 4.0, 4.9, 78, 83, 91),
    ["Na", "Cl", "Na"],
    [[0, 0, 0], [0.48, 0.53, 0.51], [0.2, 0.9, 0.75]],
)


@pytest.fixture(autouse=True)
def without_variables(monkeypatch):
    for local in LOCAL_WEIGHTS.values():
        monkeypatch.delenv(local.variable, raising=False)
    load_potential.cache_clear()
    load_force_field.cache_clear()


@pytest.fixture(params=PACKAGES)
def name(request):
    return request.param


def place_files(name, folder):
    """Files, without anything in them, where weights are expected."""
    files = LOCAL_WEIGHTS[name].files or ("some.model",)
    for file in files:
        (folder / file).write_bytes(b"")
    return folder if LOCAL_WEIGHTS[name].files else folder / files[0]


@pytest.mark.parametrize(
    "estimator", [PotentialFeatures, PotentialPhysics, PotentialEnergyRegressor]
)
def test_error_says_which_weights_and_where(name, estimator, tmp_path):
    local = LOCAL_WEIGHTS[name]
    with pytest.raises(FileNotFoundError) as caught:
        estimator(name).fit([SALT], [0.0])
    for part in (*local.files, local.source, "weights=", local.variable):
        assert part in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"nowhere.* is not a file"):
        estimator(name, weights=tmp_path / "nowhere").fit([SALT], [0.0])


def test_variable_names_the_weights(name, tmp_path, monkeypatch):
    path = place_files(name, tmp_path)
    monkeypatch.setenv(LOCAL_WEIGHTS[name].variable, str(path))
    assert find_weights(name, trust_weights=True) == str(path)
    assert find_weights(name, path, trust_weights=True) == str(path)


def test_weights_without_effect(tmp_path):
    with pytest.raises(ValueError, match=r"weights='x' has no effect.*m3gnet"):
        PotentialFeatures("chgnet", weights="x").fit([SALT])
    assert find_weights("chgnet") is None


@pytest.mark.parametrize("estimator", [PotentialFeatures, PotentialPhysics])
def test_missing_package(name, estimator, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    path = place_files(name, tmp_path)
    with pytest.raises(ImportError, match=rf"{PACKAGES[name]}.*\[{EXTRAS[name]}\]"):
        estimator(name, weights=path, trust_weights=True, device="cpu").fit([SALT])


class Bomb:
    """What a pickle can do."""

    def __reduce__(self):
        return os.mkdir, (os.environ["BOMB"],)


@pytest.mark.parametrize("estimator", [PotentialFeatures, PotentialPhysics])
def test_pickles_are_not_read_unasked(estimator, tmp_path, monkeypatch):
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    file = tmp_path / "bomb.model"
    torch.save(Bomb(), file)
    monkeypatch.setenv("SKLEARN_CLOUD_MACE", str(file))
    for weights in (None, file):
        with pytest.raises(ValueError, match=r"is a pickle.*trust_weights=True"):
            estimator("mace", weights=weights).fit([SALT])
    assert not (tmp_path / "exploded").exists()


def test_loaded_model_trusts_no_weights(tmp_path):
    model = PotentialFeatures("mace", weights="some.model", trust_weights=True)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.get_params() == {**model.get_params(), "trust_weights": False}


# --- matgl


def save_matgl(kind, folder):
    """A small network of random weights, in matgl's own format."""
    from matgl.apps.pes import Potential
    from matgl.models import M3GNet, TensorNet

    torch.manual_seed(0)
    elements = ("Na", "Cl", "Mg", "O", "Ti", "N", "Cd")
    common = {"element_types": elements, "is_intensive": False, "units": 8, "cutoff": 5.0}
    if kind == "m3gnet":
        common |= {"dim_node_embedding": 8, "dim_edge_embedding": 8, "nblocks": 2}
        network = M3GNet(**common)
    else:
        network = TensorNet(**common, nblocks=1, num_rbf=8)
    Potential(network, element_refs=torch.arange(7.0)).save(folder)
    return folder


@pytest.fixture(params=["m3gnet", "tensornet"])
def matgl_weights(request, tmp_path):
    pytest.importorskip("matgl", reason="an extra: sklearn-cloud[matgl]")
    return request.param, save_matgl(request.param, tmp_path / "weights")


def frames(*structures):
    return [Frame(s.lattice.matrix, s.frac_coords, np.array(s.atomic_numbers)) for s in structures]


def check_features(potential, **options):
    """Equal crystals have equal rows, whatever the cell."""
    features = PotentialFeatures(potential, device="cpu", **options).fit_transform([*CELLS, LOW])
    assert np.isfinite(features).all()
    np.testing.assert_allclose(features[1], features[0], atol=1e-5)
    assert np.abs(features[2] - features[0]).max() > 1e-6
    energies = PotentialFeatures(potential, quantity="energy", device="cpu", **options)
    energies = energies.fit_transform([*CELLS, LOW]).ravel()
    np.testing.assert_allclose(energies[1], energies[0], atol=1e-5)
    return energies


def check_forces(potential, weights):
    """Forces and stresses are derivatives of the energy."""
    force_field = load_force_field(potential, "cpu", str(weights))
    response, _ = force_field.compute(frames(LOW, SALT))
    assert response.forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-4)
    step = 0.02
    for site, axis in ((0, 0), (1, 2)):
        ends = [LOW.copy(), LOW.copy()]
        for structure, sign in zip(ends, (1, -1)):
            structure.translate_sites([site], step * sign * np.eye(3)[axis], frac_coords=False)
        plus, minus = (one.energy for one in force_field.compute(frames(*ends)))
        slope = (plus - minus) / (2 * step)
        assert -response.forces[site, axis] == pytest.approx(slope, abs=2e-3, rel=0.02)
    strain = np.zeros((3, 3))
    strain[0, 0] = 0.005
    ends = [LOW.copy(), LOW.copy()]
    for structure, sign in zip(ends, (1, -1)):
        structure.lattice = Lattice(LOW.lattice.matrix @ (np.eye(3) + sign * strain))
    plus, minus = (one.energy for one in force_field.compute(frames(*ends)))
    slope = (plus - minus) / 0.01 / LOW.volume
    assert response.stress[0, 0] == pytest.approx(slope, abs=2e-4, rel=0.02)
    return response


def test_matgl_end_to_end(matgl_weights):
    potential, weights = matgl_weights
    energies = check_features(potential, weights=weights)
    response = check_forces(potential, weights)
    assert response.energy / 3 == pytest.approx(energies[-1], abs=1e-4)
    model = PotentialEnergyRegressor(potential, weights=weights, device="cpu")
    target = [-2.0, -2.0, -1.9, -1.5]
    copy = pickle.loads(pickle.dumps(model.fit(CELLS, target)))
    np.testing.assert_allclose(copy.predict(CELLS), model.predict(CELLS))
    with pytest.raises(ValueError, match="contains Og"):
        PotentialFeatures(potential, weights=weights).fit_transform([rock_salt(5, "Og", "Na")])


def test_messages_flow_the_way_of_the_weights(matgl_weights):
    """Of the two ways the one with less pressure in rock salts is taken, and they do differ."""
    from sklearn_cloud.features.matgl_potentials import _sum_at_ends

    potential, weights = matgl_weights
    force_field = load_force_field(potential, "cpu", str(weights))
    network = force_field.model.model
    chosen = force_field._pressure()
    embedding = getattr(network, "tensor_embedding", None)
    flipped = embedding._forward_pre_hooks if embedding else vars(network.graph_layers[0].conv)
    if embedding and flipped or not embedding and "node_update_" in flipped:
        pytest.skip("these random weights happen to be for the old way")
    undo = _sum_at_ends(network)
    other = force_field._pressure()
    assert chosen < other
    undo()
    assert force_field._pressure() == pytest.approx(chosen, rel=1e-6)


def test_matgl_of_another_kind(matgl_weights):
    potential, weights = matgl_weights
    other = {"m3gnet": "tensornet", "tensornet": "m3gnet"}[potential]
    with pytest.raises(ValueError, match="contains no potential of .* of matgl"):
        PotentialFeatures(other, weights=weights).fit([SALT])


def test_matgl_reads_no_pickles(matgl_weights, tmp_path, monkeypatch):
    potential, weights = matgl_weights
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    torch.save({"model": Bomb()}, weights / "model.pt")
    with pytest.raises(pickle.UnpicklingError):
        PotentialFeatures(potential, weights=weights).fit([SALT])
    assert not (tmp_path / "exploded").exists()


REAL = {  # of PBE, eV/atom: what other potentials and the Materials Project say
    "m3gnet": (-3.38, -5.98),
    "tensornet": (-3.37, -5.93),
}


@pytest.mark.parametrize("potential", REAL)
def test_energies_of_real_weights(potential):
    """Runs where the weights are: set `TEST_WEIGHTS_M3GNET`, `TEST_WEIGHTS_TENSORNET`."""
    pytest.importorskip("matgl", reason="an extra: sklearn-cloud[matgl]")
    weights = os.environ.get(f"TEST_WEIGHTS_{potential.upper()}")
    if not weights:
        pytest.skip("no weights")
    cells = [SALT, rock_salt(4.25, "Mg", "O")]
    found = PotentialFeatures(potential, quantity="energy", weights=weights, device="cpu")
    np.testing.assert_allclose(found.fit_transform(cells).ravel(), REAL[potential], atol=0.08)
    physics = PotentialPhysics(potential, properties=["energy"], weights=weights, device="cpu")
    energy, force, pressure = physics.fit_transform(cells).T
    np.testing.assert_allclose(energy, REAL[potential], atol=0.08)
    np.testing.assert_allclose(force, 0, atol=1e-3)
    np.testing.assert_allclose(pressure, 0, atol=2)


# --- MACE


def save_mace(file):
    """A small model of random weights, in MACE's own format."""
    with torch.serialization.safe_globals([slice]):
        from e3nn import o3
        from mace import modules

    torch.manual_seed(0)
    block = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=5.0,
        num_bessel=4,
        num_polynomial_cutoff=5,
        max_ell=1,
        interaction_cls=block,
        interaction_cls_first=block,
        num_interactions=2,
        num_elements=3,
        hidden_irreps=o3.Irreps("4x0e + 4x1o"),
        MLP_irreps=o3.Irreps("4x0e"),
        gate=torch.nn.functional.silu,
        atomic_energies=np.array([-1.0, -2.0, -3.0]),
        avg_num_neighbors=8,
        atomic_numbers=[11, 17, 55],
        correlation=2,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    torch.save(model, file)
    return file


@pytest.fixture
def mace_weights(tmp_path):
    pytest.importorskip("mace", reason="an extra: sklearn-cloud[mace]")
    return save_mace(tmp_path / "tiny.model")


def test_mace_end_to_end(mace_weights):
    options = {"weights": mace_weights, "trust_weights": True}
    energies = check_features("mace", **options)
    assert PotentialFeatures("mace", device="cpu", **options).fit_transform([SALT]).shape == (1, 8)
    response = check_forces("mace", mace_weights)
    assert response.energy / 3 == pytest.approx(energies[-1], abs=1e-4)
    model = PotentialEnergyRegressor("mace", device="cpu", **options).fit(CELLS, [-2, -2, -1.9, -1])
    assert np.isfinite(model.predict(CELLS)).all()


def test_import_of_mace_has_no_effect_elsewhere(mace_weights):
    """It is quiet, and `torch.load` reads no more pickles than before."""
    code = (
        "import os; from sklearn_cloud.features.mace_potentials import _load; "
        "_load(os.environ['WEIGHTS'], 'cpu'); "
        "assert 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD' not in os.environ"
    )
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TORCH_FORCE")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env=variables | {"WEIGHTS": str(mace_weights)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mace_is_the_one_of_its_package(mace_weights):
    from ase import Atoms
    from mace.calculators import MACECalculator

    calculator = MACECalculator(model_paths=str(mace_weights), device="cpu")
    force_field = load_force_field("mace", "cpu", str(mace_weights))
    for frame, response in zip(frames(LOW, SALT), force_field.compute(frames(LOW, SALT))):
        atoms = Atoms(frame.numbers, cell=frame.lattice, scaled_positions=frame.positions, pbc=True)
        atoms.calc = calculator
        assert response.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        np.testing.assert_allclose(response.forces, atoms.get_forces(), atol=1e-4)
        np.testing.assert_allclose(response.stress, atoms.get_stress(voigt=False), atol=1e-5)


def test_mace_physics(mace_weights):
    pytest.importorskip("phonopy", reason="an extra: sklearn-cloud[physics]")
    options = {"weights": str(mace_weights), "trust_weights": True, "device": "cpu"}
    table = PotentialPhysics("mace", **options).fit_transform(CELLS[:2])
    np.testing.assert_allclose(table[1], table[0], rtol=0.02, atol=0.2)
    trees = PhysicsTreesRegressor("mace", properties=["energy"], n_estimators=2, **options)
    assert trees.get_params()["weights"] == str(mace_weights)


def test_file_that_is_no_mace(tmp_path):
    pytest.importorskip("mace", reason="an extra: sklearn-cloud[mace]")
    torch.save({"a": 1}, tmp_path / "some.model")
    with pytest.raises(ValueError, match="contains no model of MACE"):
        PotentialFeatures("mace", weights=tmp_path / "some.model", trust_weights=True).fit([SALT])
