import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.datasets import load_example
from sklearn_cloud.features import BondFeatures


@pytest.fixture(scope="module")
def rutile():
    return Structure.from_spacegroup(
        "P4_2/mnm",
        Lattice.tetragonal(4.594, 2.959),
        ["Ti", "O"],
        [[0, 0, 0], [0.305, 0.305, 0]],
    )


def describe(*crystals, **options):
    features = BondFeatures(**options).set_output(transform="pandas")
    return features.fit_transform(list(crystals))


def test_rutile(rutile):
    table = describe(rutile)
    row = table.loc[0]
    nearest = 1.95 / (1.60 + 0.66)  # Ti-O in units of the covalent radii
    assert row["minimum shortest relative length"] == pytest.approx(nearest, abs=0.01)
    # oxygen has three titanium neighbours, titanium six oxygens and, less strongly, two titaniums
    assert row["minimum coordination number"] == pytest.approx(3, abs=0.5)
    assert 6 < row["maximum coordination number"] < 10
    assert row["valence electrons per volume"] == pytest.approx(2 * (4 + 12) / rutile.volume)
    assert row["minimum off-centring"] == pytest.approx(0, abs=1e-6)
    assert row["maximum off-centring"] > 0.1
    assert 0.7 < row["minimum unlike neighbours"] < row["maximum unlike neighbours"] <= 1
    assert (table.notna()).all(axis=None)


def test_independent_of_the_description(rutile):
    expected = describe(rutile).to_numpy()
    rng = np.random.RandomState(0)
    moved = rutile.copy()
    moved.translate_sites(range(len(moved)), rng.rand(3))
    order = rng.permutation(len(rutile))
    others = [moved, rutile * (2, 1, 1), Structure.from_sites([rutile[i] for i in order])]
    turned = Lattice(rutile.lattice.matrix @ np.linalg.qr(rng.normal(size=(3, 3)))[0])
    others.append(Structure(turned, rutile.species, rutile.frac_coords))
    for other in others:
        np.testing.assert_allclose(describe(other).to_numpy(), expected, rtol=1e-4, atol=1e-6)


def test_layers_are_seen():
    layers = Structure(
        Lattice.hexagonal(2.46, 20.0), ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]
    )
    diamond = Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.567), ["C"], [[0, 0, 0]])
    table = describe(layers, diamond)
    assert table.loc[0, "widest gap"] == pytest.approx(20.0)
    assert table.loc[0, "stiffness anisotropy"] < 1e-6
    assert table.loc[1, "stiffness anisotropy"] == pytest.approx(1, abs=1e-6)
    assert table["mean smallest direction"].tolist() == pytest.approx([0, 1 / 3], abs=1e-6)


def test_lonely_atoms_have_none():
    lonely = Structure(Lattice.cubic(15), ["He"], [[0, 0, 0]])
    assert describe(lonely).isna().all(axis=None)


def test_on_examples():
    crystals = load_example().structures[:20]
    table = describe(*crystals)
    assert table.shape == (20, 87) and np.isfinite(table.to_numpy()).all()
    assert len(set(table.columns)) == 87
    with pytest.raises(ValueError, match="row 1"):
        describe(crystals[0], "NaCl")
