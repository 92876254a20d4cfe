import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import CrystalError, symmetry_string
from sklearn_cloud.crystals import limits, read_crystal
from sklearn_cloud.features import GeometryFeatures

PAIR = [[0, 0, 0], [0.5, 0.5, 0.5]]


def pair(a, b, c, angles=(90, 90, 90)):
    return Structure(Lattice.from_parameters(a, b, c, *angles), ["Na", "Cl"], PAIR)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ((3, 3, 54310), "3, 3, 5.431e.04 angstrom long"),
        ((0.2, 3, 3), "0.2, 3, 3 angstrom long"),
        ((900, 900, 900), "3.6.*e.08 cubic angstrom per site"),
        ((0.9, 0.9, 0.9), "0.365 cubic angstrom per site"),
        ((1e200, 1e200, 1e200), "not finite|angstrom long"),
    ],
)
def test_cells_that_no_crystal_has(cell, message):
    with pytest.raises(CrystalError, match=message):
        read_crystal(pair(*cell))


def test_number_of_sites(monkeypatch):
    monkeypatch.setattr(limits, "MOST_SITES", 1)
    with pytest.raises(CrystalError, match="2 sites, more than 1"):
        read_crystal(pair(4, 4, 4))


@pytest.mark.parametrize(
    ("cell", "angle_tolerance", "backend"),
    [
        ((1, 2, 300), None, "moyopy"),
        ((1, 2, 100), None, "moyopy"),
        ((2.93, 5.86, 100), 10, "moyopy"),
        ((7.73, 1.02, 97.65), 10, "moyopy"),
        ((3.77, 4.41, 354), 10, "spglib"),
        ((1.1, 5.78, 162), 20, "spglib"),
    ],
)
def test_shears_within_the_tolerance_are_refused(cell, angle_tolerance, backend):
    # the finders do not return from these
    options = {"angle_tolerance": angle_tolerance, "backend": backend, "symprec": 0.5}
    with pytest.raises(
        CrystalError, match="too long and thin for symprec=0.1: use a smaller symprec"
    ):
        symmetry_string(pair(*cell), **options)
    if angle_tolerance is None:
        with pytest.raises(CrystalError, match="too long and thin"):
            GeometryFeatures(symprec=0.5).fit_transform([pair(*cell)])


@pytest.mark.parametrize("backend", ["moyopy", "spglib"])
@pytest.mark.parametrize("cell", [(2.9, 2.9, 60), (2.5, 5.1, 40), (3, 4, 300), (12, 3, 3)])
def test_layers_in_a_vacuum_are_not(cell, backend):
    assert " | 1a Na " in symmetry_string(pair(*cell), backend=backend)


def test_narrower_tolerances_are_tried_where_one_allows_a_shear():
    # 2.93**2 / 100 is between 0.08 and 0.1
    slab = pair(2.93, 5.86, 50)
    assert symmetry_string(slab, angle_tolerance=5) == symmetry_string(slab)


def test_a_thousand_identical_orbits():
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(11)] * 3), -1).reshape(-1, 3) / 11
    coords = grid + rng.uniform(-0.02, 0.02, grid.shape)
    amorphous = Structure(Lattice.cubic(30), ["Si"] * len(coords), coords)
    assert symmetry_string(amorphous) == "0 0 0 | 1a Si x900 x400 x30 x1 | Si 1.0"
