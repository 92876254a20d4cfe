from xml.etree import ElementTree

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.app.structure_picture import MOST_SITES, PALETTE, draw_crystal, make_scene
from sklearn_cloud.crystals import read_crystal

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
TAG = "{http://www.w3.org/2000/svg}"


def shapes(picture, tag):
    return list(ElementTree.fromstring(picture).iter(f"{TAG}{tag}"))


def test_atoms_on_faces_are_repeated_and_neighbours_joined():
    scene = make_scene(read_crystal(SALT), 20, 10)
    assert scene.labels.count("Na") == 14  # 8 corners and 6 faces
    assert scene.labels.count("Cl") == 13  # 12 edges and the center
    assert len(scene.bonds) == 54  # of 3 x 3 x 3 atoms
    assert all(scene.labels[i] != scene.labels[j] for i, j in scene.bonds)


def test_the_picture_is_complete_and_has_no_links():
    picture = draw_crystal(read_crystal(SALT))
    assert len(shapes(picture, "circle")) == 27 + 2
    assert len(shapes(picture, "line")) == 12 + 2 * 54
    assert [text.text for text in shapes(picture, "text")] == ["Na", "Cl"]
    assert PALETTE[0] in picture and PALETTE[1] in picture and PALETTE[2] not in picture
    words = picture.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not any(word in words for word in ("http", "href", "script", "nan", "inf"))


@pytest.mark.parametrize(("turn", "tilt"), [(0, 0), (90, 0), (359, 90), (45, -90)])
def test_every_view_fits_into_the_picture(turn, tilt):
    thin = Structure(Lattice.from_parameters(3, 4, 30, 60, 70, 110), ["C"], [[0.3, 0.9, 0.9999]])
    for circle in shapes(draw_crystal(read_crystal(thin), turn=turn, tilt=tilt), "circle"):
        assert 0 <= float(circle.get("cx")) <= 420 and 0 <= float(circle.get("cy")) <= 454


def test_a_turn_by_a_quarter_looks_along_another_axis():
    box = Structure(Lattice.orthorhombic(3, 5, 7), ["C"], [[0.5, 0.5, 0.5]])
    for turn, side in ((0, 3), (90, 5)):
        corners = make_scene(read_crystal(box), turn, 0).corners
        width, height = np.ptp(corners[:, 0]), np.ptp(corners[:, 1])
        assert width / height == pytest.approx(side / 7)


def test_disordered_sites_name_their_elements():
    alloy = Structure(Lattice.cubic(2.9), [{"Fe": 0.5, "Ni": 0.25}], [[0, 0, 0]])
    picture = draw_crystal(read_crystal(alloy))
    assert [text.text for text in shapes(picture, "text")] == ["Fe0.5 Ni0.25"]


def test_no_picture_of_very_many_sites():
    crystal = read_crystal(SALT)
    positions = np.zeros((MOST_SITES + 1, 3))
    kinds = np.zeros(MOST_SITES + 1, dtype=int)
    assert draw_crystal(crystal._replace(positions=positions, kinds=kinds)) is None
