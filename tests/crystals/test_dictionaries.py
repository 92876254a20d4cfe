import json

import numpy as np
import pytest
from pymatgen.core import Composition, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry

from sklearn_cloud import CrystalError, symmetry_string
from sklearn_cloud.crystals import read_crystal

MARK = """
from pathlib import Path
Path(__file__).with_name("mark").touch()
class Mark:
    @classmethod
    def from_dict(cls, d):
        return cls()
"""


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A dictionary that names a module, and whether that was imported."""
    (tmp_path / "leaves_a_mark.py").write_text(MARK)
    monkeypatch.syspath_prepend(tmp_path)
    yield {"@module": "leaves_a_mark", "@class": "Mark"}
    assert not (tmp_path / "mark").exists()


def test_structures(crystals):
    for structure in crystals.values():
        record = structure.as_dict()
        found, direct = read_crystal(record), read_crystal(structure)
        assert found.species == direct.species
        np.testing.assert_array_equal(found.positions, direct.positions)
        np.testing.assert_array_equal(found.lattice, direct.lattice)


def test_lattices_without_a_matrix_and_cartesian_sites(crystals):
    structure = crystals["triclinic"]
    record = structure.as_dict()
    del record["lattice"]["matrix"]
    assert symmetry_string(record) == symmetry_string(structure)
    record = structure.as_dict()
    for site in record["sites"]:
        del site["abc"]
    assert symmetry_string(record) == symmetry_string(structure)


def other_layouts(structure):
    lattice = structure.lattice.matrix.tolist()
    symbols = [site.specie.symbol for site in structure]
    optimade = {
        "lattice_vectors": lattice,
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "species_at_sites": symbols,
        "species": [
            {"name": s, "chemical_symbols": [s], "concentration": [1.0]} for s in set(symbols)
        ],
    }
    return {
        "entry": {"structure": structure.as_dict(), "energy": -1.0},
        "jarvis": {
            "atoms": {
                "lattice_mat": lattice,
                "coords": structure.cart_coords.tolist(),
                "elements": [f"{symbol} " for symbol in symbols],
                "cartesian": True,
            }
        },
        "ase": {
            "cell": lattice,
            "positions": structure.cart_coords.tolist(),
            "numbers": [site.specie.Z for site in structure],
        },
        "optimade": {"id": "1", "attributes": optimade},
        "text": json.dumps(structure.as_dict()),
    }


@pytest.mark.parametrize("layout", ["entry", "jarvis", "ase", "optimade", "text"])
def test_layouts_of_others(layout, crystals):
    structure = crystals["triclinic"]
    assert symmetry_string(other_layouts(structure)[layout]) == symmetry_string(structure)


def test_entries_and_compositions(crystals):
    structure = crystals["rutile"]
    entry = ComputedStructureEntry(structure, -1.0)
    assert symmetry_string(entry) == symmetry_string(structure)
    assert symmetry_string(entry.as_dict()) == symmetry_string(structure)
    assert symmetry_string(Composition("SrTiO3").as_dict()) == symmetry_string("SrTiO3")


def test_nothing_is_decoded(crystals, hostile, tmp_path):
    structure = crystals["rock salt"]
    record = structure.as_dict()
    record["properties"] = {"anything": hostile}
    record["lattice"]["extra"] = hostile
    for site in record["sites"]:
        site["properties"] = {"magmom": hostile}
        site["species"][0]["properties"] = {"spin": hostile}
    path = tmp_path / "crystal.json"
    path.write_text(json.dumps(record))
    for item in (record, json.dumps(record), path, {"structure": record, "data": hostile}):
        assert symmetry_string(item) == symmetry_string(structure)


@pytest.mark.parametrize(
    ("name", "value"),
    [("lattice", "hostile"), ("sites", "hostile"), ("sites", ["hostile"]), ("lattice", None)],
)
def test_a_decoded_object_is_no_lattice(name, value, crystals, hostile):
    record = crystals["rock salt"].as_dict()
    record[name] = {"hostile": hostile, None: None}.get(value if value is None else "hostile")
    with pytest.raises(CrystalError, match="dictionary"):
        read_crystal(record)
    with pytest.raises(CrystalError, match="dictionary"):
        read_crystal(hostile)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("sites"), "does not describe a crystal .it has"),
        (lambda r: r["sites"][0].pop("abc") and r["sites"][0].pop("xyz"), "KeyError: 'xyz'"),
        (lambda r: r["sites"][0].update(abc=[0, 0]), "has 2 coordinates"),
        (lambda r: r["sites"][0].update(abc=["a", 0, 0]), "could not convert"),
        (lambda r: r["sites"][0].update(species=[]), "has occupancy 0.000"),
        (lambda r: r["sites"][0]["species"][0].update(element="Qq"), "site 0 contains 'Qq'"),
        (lambda r: r["sites"][0]["species"][0].update(element=["Na"]), "unhashable"),
        (lambda r: r["sites"][0]["species"][0].update(occu=float("nan")), "occupancy nan"),
        (lambda r: r["lattice"].update(matrix=[[1, 0, 0]]), "the lattice has 1 vectors"),
        (lambda r: r["lattice"].update(matrix=[[0] * 3] * 3), "the cell has no volume"),
        (lambda r: r["lattice"].update(matrix=[[float("inf"), 0, 0]] * 3), "not finite"),
    ],
)
def test_malformed_records(change, message, crystals):
    record = Structure.from_dict(crystals["rock salt"].as_dict()).as_dict()
    change(record)
    with pytest.raises(CrystalError, match=message):
        read_crystal(record)


def test_json_that_is_no_crystal(tmp_path):
    for text in ('{"a": 1', "{}", "[" * 100_000, "[1]"):
        path = tmp_path / "x.json"
        path.write_text(text)
        with pytest.raises(CrystalError, match="x.json"):
            read_crystal(path)
