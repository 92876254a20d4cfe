import os
import pickle
import sys

import numpy as np
import pytest
from joblib import parallel_config
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from springs import Springs

from sklearn_cloud.features import PotentialPhysics, force_fields
from sklearn_cloud.features.force_fields import FORCE_FIELDS, load_force_field
from sklearn_cloud.features.frames import Frame
from sklearn_cloud.features.physics_columns import last_peak

pytest.importorskip("phonopy", reason="an extra: sklearn-cloud[physics]")

GPA = 160.21766208
PACKAGES = {
    "chgnet": "chgnet",
    "sevennet-0": "sevenn",
    "sevennet-l3i5": "sevenn",
    "sevennet-mf-0": "sevenn",
}
D, K = Springs.length, Springs.stiffness  # of the springs between nearest neighbours
ROCK_SALT = Structure(
    Lattice([[0, D, D], [D, 0, D], [D, D, 0]]), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
A = 4 * D / 3**0.5
ZINC_BLENDE = Structure(
    Lattice([[0, A / 2, A / 2], [A / 2, 0, A / 2], [A / 2, A / 2, 0]]),
    ["Zn", "S"],
    [[0, 0, 0], [0.25, 0.25, 0.25]],
)
WIDE = ROCK_SALT.copy().apply_strain(0.02)
ALONE = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
LOW = Structure(  # without any symmetry
    Lattice.from_parameters(2.8, 3.0, 2.9, 58, 63, 61),
    ["Na", "Cl", "K"],
    [[0, 0, 0], [0.48, 0.53, 0.51], [0.2, 0.9, 0.75]],
)


class Failing(Springs):
    """Fails on argon and diverges on neon."""

    def _compute(self, frame):
        if 18 in frame.numbers:
            raise RuntimeError("no argon, please")
        response = super()._compute(frame)
        return (
            response._replace(forces=response.forces * np.nan) if 10 in frame.numbers else response
        )


@pytest.fixture(params=[Springs])
def stand_in(request, monkeypatch):
    load_force_field.cache_clear()
    monkeypatch.setitem(force_fields.FORCE_FIELDS, "chgnet", request.param)
    yield load_force_field("chgnet", "cpu", None)
    load_force_field.cache_clear()


def physics(crystals, **parameters):
    """{name: numbers} without the name of the potential."""
    transformer = PotentialPhysics(device="cpu", **parameters)
    table = transformer.fit_transform(crystals)
    names = [name.removeprefix("chgnet ") for name in transformer.get_feature_names_out()]
    return dict(zip(names, table.T, strict=True))


def wavenumber(constant, *masses):
    """1/cm of two atoms on a spring (eV per square angstrom, dalton)."""
    reduced = 1 / sum(1 / mass for mass in masses)
    joule, dalton = 1.602176634e-19, 1.66053907e-27
    return np.sqrt(constant * joule * 1e20 / (reduced * dalton)) / (2 * np.pi * 2.99792458e10)


@pytest.mark.parametrize(
    ("crystal", "constant", "masses"),
    # sum over the neighbours of the squared cosine between spring and displacement
    [(ROCK_SALT, 2 * K, (22.990, 35.453)), (ZINC_BLENDE, 4 / 3 * K, (65.38, 32.06))],
)
def test_phonons_of_springs(stand_in, crystal, constant, masses):
    found = physics([crystal, crystal * (2, 1, 1)], properties=["phonons"])
    expected = wavenumber(constant, *masses)
    for name in ("highest", "lowest", "mean", "median", "root mean square"):
        np.testing.assert_allclose(found[f"{name} frequency"], expected, rtol=1e-3)
    np.testing.assert_allclose(found["deviation of frequencies"], 0, atol=0.1)
    np.testing.assert_array_equal(found["imaginary modes"], 0)
    # the other atoms fixed, in the light of its own mass alone
    light = wavenumber(constant, min(masses), 1e12)
    np.testing.assert_allclose(found["highest atomic frequency"], light, rtol=1e-3)


@pytest.mark.parametrize(
    ("crystal", "constant", "masses"),
    # the squared frequencies have the mean of constant / mass over the atoms
    [(ROCK_SALT, 2 * K, (22.990, 35.453)), (ZINC_BLENDE, 4 / 3 * K, (65.38, 32.06))],
)
def test_phonons_of_the_whole_zone(stand_in, crystal, constant, masses):
    found = physics([crystal], properties=["zone", "phonons"])
    assert found["zone sampled"] == [1]
    root_mean_square = wavenumber(constant / 2, *masses)
    np.testing.assert_allclose(
        found["zone root mean square frequency"], root_mean_square, rtol=2e-3
    )
    # nothing is faster than the optical modes at the centre, nor slower than the acoustic ones
    np.testing.assert_allclose(
        found["zone highest frequency"], found["highest frequency"], rtol=1e-3
    )
    np.testing.assert_allclose(found["zone lowest frequency"], 0, atol=0.1)
    peak = found["zone last peak"]
    assert root_mean_square < peak < found["zone highest frequency"]


def test_zone_of_a_large_cell_is_its_centre(stand_in):
    sites = [[0, 0, x] for x in np.arange(6) / 6]
    large = Structure(Lattice.tetragonal(6, 6 * D), ["Na", "Na", "K", "Cl", "Cl", "Br"], sites)
    found = physics([large], properties=["zone", "phonons"])
    assert found["zone sampled"] == [0]
    np.testing.assert_array_equal(found["zone highest frequency"], found["highest frequency"])
    np.testing.assert_allclose(found["zone last peak"], found["highest frequency"], atol=1)


def test_last_peak():
    modes = np.array([0.0, 90.0, 100.0, 100.0, 110.0, 300.0, 500.0])
    assert last_peak(modes, np.ones(7)) == 500
    assert last_peak(modes, np.array([1, 1, 1, 1, 1, 1, 0.01])) == 300


def chain(length):
    """Atoms in a row, with springs of this length between them."""
    return Structure(Lattice.tetragonal(6, 2 * length), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.5]])


def test_pressed_chain_buckles(stand_in):
    found = physics([chain(0.97 * D), chain(D)], properties=["energy", "phonons"])
    masses = 22.990, 35.453
    imaginary = wavenumber(2 * K * 0.03 / 0.97, *masses)  # across the chain
    assert found["imaginary modes"].tolist() == [2, 0]
    np.testing.assert_allclose(found["lowest frequency"], [-imaginary, 0], rtol=0.01, atol=5)
    np.testing.assert_allclose(found["highest frequency"], wavenumber(2 * K, *masses), rtol=1e-3)
    np.testing.assert_allclose(found["largest force"], 0, atol=1e-9)
    pull = 0.03 * D * K  # of a chain with a cross section of 36 square angstrom
    np.testing.assert_allclose(found["pressure"], [pull / 36 / 3 * GPA, 0], atol=1e-3)


def test_energy_of_springs(stand_in):
    found = physics([ROCK_SALT, WIDE], properties=["energy"])
    np.testing.assert_allclose(found["energy"], [0, 3 * K * (0.02 * D) ** 2 / 2], atol=6e-4)
    assert found["pressure"][1] < -1  # it wants to shrink


def test_moduli_of_springs(stand_in):
    found = physics([ROCK_SALT, ZINC_BLENDE], properties=["moduli", "relaxed_moduli"])
    # C11 = K/D, C12 = C44 = 0; C11 = C12 = C44 = sqrt(3)/12 K/D
    constants = np.array([K / D, 3**0.5 / 12 * K / D]) * GPA
    bulk = [constants[0] / 3, constants[1]]
    for average in ("Voigt", "Reuss"):
        np.testing.assert_allclose(found[f"bulk modulus ({average})"], bulk, atol=0.06)
        np.testing.assert_allclose(found[f"relaxed bulk modulus ({average})"], bulk, atol=0.06)
    clamped = [constants[0] / 5, constants[1] * 3 / 5]
    # moduli of 0, here and there, count as 1 GPa
    np.testing.assert_allclose(found["shear modulus (Voigt)"], clamped, atol=0.5)
    # tetrahedra of springs turn into each other without a force
    np.testing.assert_allclose(found["relaxed shear modulus (Voigt)"][1], 0, atol=0.5)


def test_symmetry_changes_nothing(stand_in, monkeypatch):
    """Derivatives from few frames and symmetry are those from all frames."""
    from sklearn_cloud.features import calculations

    crystals = [ROCK_SALT, ZINC_BLENDE, WIDE * (1, 1, 2)]
    few = physics(crystals, properties=["relaxed_moduli"])
    n_few = sum(stand_in.batches)

    def no_symmetry(crystal, numbers, symprec):
        kinds = np.array([numbers[species[0][0]] for species in crystal.species])
        shift = np.arange(len(crystal.kinds) * 3).reshape(-1, 3) * 3e-4
        return Frame(crystal.lattice, crystal.positions + shift, kinds[crystal.kinds])

    monkeypatch.setattr(calculations, "primitive_cell", no_symmetry)
    many = physics(crystals, properties=["relaxed_moduli"])
    assert sum(stand_in.batches) > 4 * n_few
    for name, numbers in few.items():
        np.testing.assert_allclose(many[name], numbers, rtol=0.03, atol=0.5)


def test_low_symmetry(stand_in):
    found = physics([LOW])
    assert all(np.isfinite(numbers).all() for numbers in found.values())
    assert found["largest force"] > 0.01


def test_elements_without_stable_isotopes(stand_in):
    plutonium = Structure(Lattice.cubic(D), ["Pu"], [[0, 0, 0]])
    found = physics([plutonium, plutonium * (1, 1, 2)], properties=["phonons", "zone"])
    expected = wavenumber(4 * K, 244, 1e12)  # at the corner of the zone
    np.testing.assert_allclose(found["zone highest frequency"], expected, rtol=1e-3)


def test_atom_alone_has_no_optical_modes(stand_in):
    found = physics([ALONE], properties=["phonons"])
    assert [float(numbers[0]) for numbers in found.values()] == [0] * 10


def test_equal_crystals_are_computed_once(stand_in):
    transformer = PotentialPhysics(properties=["energy"], device="cpu")
    table = transformer.fit_transform([ROCK_SALT, WIDE, ROCK_SALT])
    assert sum(stand_in.batches) == 2
    np.testing.assert_array_equal(table[0], table[2])
    assert abs(table[1] - table[0]).max() > 0.1


def test_batches_have_at_most_so_many_atoms(stand_in):
    few = physics([LOW], properties=["moduli"], batch_size=10)
    assert stand_in.batches == [3, 3, 3, 3]  # frames of three atoms
    many = physics([LOW], properties=["moduli"], batch_size=100)
    assert stand_in.batches[4:] == [12]
    for name, numbers in few.items():
        np.testing.assert_allclose(many[name], numbers)


def test_scikit_learn_contract(stand_in):
    transformer = PotentialPhysics(properties=["energy"], device="cpu")
    assert clone(transformer).get_params() == transformer.get_params()
    copy = pickle.loads(pickle.dumps(transformer.fit([WIDE])))
    np.testing.assert_array_equal(copy.transform([WIDE]), transformer.transform([WIDE]))
    frame = transformer.set_output(transform="pandas").transform([WIDE])
    assert list(frame.columns) == ["chgnet energy", "chgnet largest force", "chgnet pressure"]


def test_workers(stand_in):
    one = PotentialPhysics(device="cpu").fit_transform([ROCK_SALT, WIDE, LOW, ZINC_BLENDE, ALONE])
    with parallel_config("threading", n_jobs=2):
        two = PotentialPhysics(device="cpu").transform([ROCK_SALT, WIDE, LOW, ZINC_BLENDE, ALONE])
    np.testing.assert_allclose(two, one)


def test_progress(stand_in, capsys):
    PotentialPhysics(properties=["energy"], device="cpu", verbose=1).fit_transform([WIDE])
    assert "1/1" in capsys.readouterr().err


@pytest.mark.parametrize("stand_in", [Failing], indirect=True)
def test_failures_are_rows_of_nan(stand_in, tmp_path):
    neon = Structure(Lattice.cubic(2), ["Ne"], [[0, 0, 0]])
    unknown = Structure(Lattice.cubic(2), ["Og"], [[0, 0, 0]])
    disordered = Structure(Lattice.cubic(2), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]])
    crystals = [WIDE, ALONE, ROCK_SALT, neon, unknown, disordered, ALONE]
    transformer = PotentialPhysics(properties=["energy"], cache=tmp_path, device="cpu")
    with pytest.warns(UserWarning, match="5 of 7 crystals") as caught:
        table = transformer.fit_transform(crystals)
    assert np.isnan(table).all(axis=1).tolist() == [False, True, False, True, True, True, True]
    assert np.isfinite(table[[0, 2]]).all()
    (warning,) = caught
    message = str(warning.message)
    assert "rows [1, 3, 4, 5, 6]" in message
    for reason in ("no argon, please", "diverged", "has Og", "is disordered"):
        assert reason in message
    assert len(list(tmp_path.rglob("*.npz"))) == 2  # failures are not kept


def test_cache(stand_in, tmp_path):
    folder = tmp_path / "new" / "folder"
    first = physics([ROCK_SALT, LOW], properties=["phonons", "energy"], cache=folder)
    computed = len(stand_in.batches)
    again = physics([LOW, ROCK_SALT], properties=["energy", "phonons"], cache=str(folder))
    assert len(stand_in.batches) == computed
    for name, numbers in first.items():
        np.testing.assert_allclose(again[name][::-1], numbers, rtol=1e-6)
    files = sorted(folder.rglob("*"))
    assert not [file for file in files if file.suffix == ".part"]
    assert {file.relative_to(folder).parts[0] for file in files} == {"springs-1"}
    # another setting, or another version of the potential, is another result
    physics([LOW], properties=["phonons"], cache=folder, displacement=0.02)
    assert len(stand_in.batches) > computed
    computed = len(stand_in.batches)
    stand_in.tag = "springs-2"
    physics([LOW], properties=["phonons"], cache=folder)
    assert len(stand_in.batches) > computed


def test_damaged_cache(stand_in, tmp_path):
    physics([LOW], properties=["energy"], cache=tmp_path)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"\.npz' is damaged .* delete it"):
        physics([LOW], properties=["energy"], cache=tmp_path)


def test_cache_reads_no_pickles(stand_in, tmp_path):
    physics([LOW], properties=["energy"], cache=tmp_path)
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, energy=np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="damaged"):
        physics([LOW], properties=["energy"], cache=tmp_path)


def test_cache_folder_that_cannot_be_written(stand_in, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OSError, match="file.* cannot be written"):
        PotentialPhysics(cache=file, device="cpu").fit([WIDE])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_cache_folder_without_rights(stand_in, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="cannot be written"):
        PotentialPhysics(cache=tmp_path / "inside", device="cpu").fit([WIDE])


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (None, TypeError, "row 1: expected a crystal"),
        (
            "NaCl",
            ValueError,
            "row 1: a potential needs a crystal structure, got only the composition",
        ),
    ],
)
def test_bad_rows_are_named(stand_in, item, error, message):
    with pytest.raises(error, match=message):
        PotentialPhysics(device="cpu").fit_transform([WIDE, item])


@pytest.mark.parametrize(
    "parameters",
    [
        {"potential": "none"},
        {"properties": "phonons"},
        {"properties": []},
        {"properties": ["heat"]},
        {"displacement": 0.0},
        {"strain": 0.5},
        {"batch_size": 0},
        {"n_jobs": 0.5},
    ],
)
def test_bad_parameters(stand_in, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        PotentialPhysics(**parameters).fit([WIDE])


@pytest.mark.parametrize("name", PACKAGES)
def test_missing_package(name, monkeypatch):
    load_force_field.cache_clear()
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    extra = FORCE_FIELDS[name].extra
    with pytest.raises(ImportError, match=rf"{PACKAGES[name]}>=.*pip install .*\[{extra}\]"):
        PotentialPhysics(name, device="cpu").fit([WIDE])


def test_missing_phonopy(stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "phonopy", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[physics\]'"):
        PotentialPhysics(device="cpu").fit([WIDE])
    PotentialPhysics(properties=["moduli"], device="cpu").fit([WIDE])


@pytest.fixture(params=PACKAGES)
def installed(request):
    pytest.importorskip(
        PACKAGES[request.param], reason="an extra: sklearn-cloud[chgnet] or [sevennet]"
    )
    return request.param


SALT = Structure(
    Lattice([[0, 2.82, 2.82], [2.82, 0, 2.82], [2.82, 2.82, 0]]),
    ["Na", "Cl"],
    [[0, 0, 0], [0.5, 0.5, 0.5]],
)


def test_installed_potentials_know_salt(installed, capfd):
    table = PotentialPhysics(installed, device="cpu").fit_transform([SALT, SALT * (1, 2, 1)])
    names = PotentialPhysics(installed).get_feature_names_out()
    found = dict(zip((name.removeprefix(installed + " ") for name in names), table[0], strict=True))
    np.testing.assert_allclose(table[1], table[0], rtol=0.01, atol=0.05)
    # in experiment about 164 1/cm, 25 and 15 GPa; CHGNet is too soft
    assert 100 < found["highest frequency"] < 180
    assert 20 < found["bulk modulus (Voigt)"] < 32
    assert 6 < found["shear modulus (Reuss)"] < 18
    assert abs(found["pressure"]) < 3
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("name", ["sevennet-0", "sevennet-l3i5", "sevennet-mf-0"])
def test_sevennet_is_the_one_of_its_package(name):
    pytest.importorskip("sevenn", reason="an extra: sklearn-cloud[sevennet]")
    from ase import Atoms
    from sevenn.calculator import SevenNetCalculator

    force_field = load_force_field(name, "cpu")
    frames = [
        Frame(s.lattice.matrix, s.frac_coords, np.array(s.atomic_numbers))
        for s in (SALT, ALONE, LOW, ZINC_BLENDE)
    ]
    responses = force_field.compute(frames)
    modal = force_field.fidelity
    calculator = SevenNetCalculator(force_field.weights, device="cpu", modal=modal)
    for frame, response in zip(frames, responses, strict=True):
        atoms = Atoms(frame.numbers, cell=frame.lattice, scaled_positions=frame.positions, pbc=True)
        atoms.calc = calculator
        # in float32, and where atoms are close the forces are thousands of eV/angstrom
        size = max(1.0, np.abs(atoms.get_forces()).max())
        assert response.energy == pytest.approx(atoms.get_potential_energy(), rel=1e-5, abs=1e-4)
        np.testing.assert_allclose(response.forces, atoms.get_forces(), atol=1e-4 * size)
        stress = atoms.get_stress(voigt=False)
        np.testing.assert_allclose(response.stress, stress, atol=1e-5 * size)
