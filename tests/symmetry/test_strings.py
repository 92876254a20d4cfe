import re

import numpy as np
import pytest
from pymatgen.core import Lattice, Species, Structure

from sklearn_cloud.encoder import SymmetryTokenizer
from sklearn_cloud.symmetry import (
    Orbit,
    SymmetryString,
    generator_string,
    parse_string,
    symmetry_string,
)
from sklearn_cloud.symmetry.strings import PARTS

ROCK_SALT = " ".join(generator_string(225)) + " | 4a Na 4b Cl | Na 0.5 Cl 0.5"


def test_parts_and_their_order(crystals):
    structure = crystals["rock salt"]
    assert symmetry_string(structure) == ROCK_SALT
    assert symmetry_string(structure, sites="set") == ROCK_SALT.replace("4a Na 4b Cl", "4a 4b")
    assert symmetry_string(structure, parts=["composition", "sites"]) == (
        "4a Na 4b Cl | Na 0.5 Cl 0.5"
    )
    assert symmetry_string(structure, parts=["generators"]) == ROCK_SALT.split(" | ")[0]
    assert symmetry_string(structure, parts=["composition"]) == "Na 0.5 Cl 0.5"


def test_orbits_tell_the_a_site_from_the_b_site(crystals):
    structure = crystals["perovskite"]
    orbits = symmetry_string(structure, parts=["sites"], sites="orbits")
    assert orbits in ("1a Sr 1b Ti 3c O", "1a Sr 1b Ti 3d O", "1a Ti 1b Sr 3d O")
    swapped = structure.copy()
    swapped.replace(0, "Ti")
    swapped.replace(1, "Sr")
    assert symmetry_string(structure, sites="set") == symmetry_string(swapped, sites="set")
    assert symmetry_string(structure, sites="orbits") != symmetry_string(swapped, sites="orbits")


def test_identical_orbits_are_counted():
    lattice = Lattice.from_parameters(6, 7, 8, 81, 97, 103)
    coords = [[0.06 * i, (0.37 * i) % 1, (0.61 * i * i) % 1] for i in range(13)]
    structure = Structure(lattice, ["Ga"] + ["O"] * 12, coords)
    string = symmetry_string(structure, parts=["sites"], sites="orbits", symprec=1e-3)
    assert string == "1a Ga 1a O x10 x2"
    assert [o.elements for o in parse_string(string).orbits] == [("Ga",)] + [("O",)] * 12


@pytest.mark.parametrize("sites", ["set", "orbits"])
@pytest.mark.parametrize("parts", [PARTS, PARTS[:2], PARTS[1:], PARTS[::2], *[(p,) for p in PARTS]])
def test_parsing_gives_the_string_back(parts, sites, crystals):
    for structure in crystals.values():
        string = symmetry_string(structure, parts=parts, sites=sites)
        assert str(parse_string(string)) == string


def test_parsed_parts():
    parsed = parse_string(ROCK_SALT)
    assert parsed.space_group == 225
    assert parsed.orbits == (("4a", ("Na",)), ("4b", ("Cl",)))
    assert parsed.composition == (("Na", 0.5), ("Cl", 0.5))


def test_fractions_are_rounded_to_two_decimals():
    assert symmetry_string("K12V4O16") == "K 0.38 V 0.12 O 0.5"
    assert symmetry_string("Fe0.99C0.01") == "Fe 0.99 C 0.01"


@pytest.mark.parametrize(
    ("formula", "string", "carbon"),
    [
        ("Fe0.995C0.005", "Fe 0.99 C 0.01", 0.01),  # a tie of the decimal numbers themselves
        ("Fe0.9951C0.0049", "Fe 1.0 C 0.0 C 0.49", 0.0049),
        ("Fe0.99501C0.00499", "Fe 1.0 C 0.0 C 0.5", 0.005),
        ("Fe0.9987C0.0013", "Fe 1.0 C 0.0 C 0.13", 0.0013),
        ("Fe0.99995C0.00005", "Fe 1.0 C 0.0 C 0.01", 0.0001),
        ("Fe0.999975C0.000025", "Fe 1.0 C 0.0 C 0.0 C 0.25", 0.000025),
        ("Fe0.9999999C0.0000001", "Fe 1.0 C 0.0 C 0.0 C 0.0 C 0.1", 0.0000001),
    ],
)
def test_traces_are_told_from_nothing(formula, string, carbon):
    assert symmetry_string(formula) == string
    parsed = parse_string(string)
    assert parsed.composition[1] == ("C", carbon)
    assert str(parsed) == string
    SymmetryTokenizer().encode(string)


def test_an_element_is_named_twice_for_traces_alone():
    with pytest.raises(ValueError, match="lists C twice"):
        parse_string("Fe 0.9 C 0.05 C 0.05")
    with pytest.raises(ValueError, match="lists C twice"):
        parse_string("C 0.05 Fe 0.9 C 0.05")


@pytest.mark.parametrize("count", [1, 12, 999, 1000, 1800, 8191])
def test_counts_of_orbits_add_up(count):
    string = str(SymmetryString(1, (Orbit("1a", ("Si",)),) * count, (("Si", 1.0),)))
    parsed = parse_string(string)
    assert len(parsed.orbits) == count
    assert str(parsed) == string
    SymmetryTokenizer().encode(string)


@pytest.mark.parametrize("number", [np.float32(0.1), np.float64(0.1), np.int64(1)])
def test_numbers_of_numpy_are_tolerances(number, crystals):
    assert symmetry_string(crystals["rock salt"], symprec=number) == ROCK_SALT


def test_oxidation_states_are_ignored(crystals):
    charged = crystals["rock salt"].copy()
    charged.add_oxidation_state_by_element({"Na": 1, "Cl": -1})
    assert symmetry_string(charged) == ROCK_SALT


def test_mixed_valence_on_one_site_is_one_element():
    lattice = Lattice.cubic(4.3)
    mixed = Structure(lattice, [{Species("Fe", 2): 0.5, Species("Fe", 3): 0.5}], [[0, 0, 0]])
    plain = Structure(lattice, ["Fe"], [[0, 0, 0]])
    assert symmetry_string(mixed, sites="orbits") == symmetry_string(plain, sites="orbits")


def test_partial_occupancy_enters_the_composition(crystals):
    alloy = Structure.from_spacegroup(
        225, Lattice.cubic(5.6), [{"Na": 0.5, "K": 0.3}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    assert symmetry_string(alloy, sites="orbits").endswith("4a K Na 4b Cl | K 0.17 Na 0.28 Cl 0.56")


@pytest.mark.parametrize(
    ("string", "message"),
    [
        ("", "not a list of elements"),
        ("4a 4b | 0 0 0", "out of place"),
        ("Na 0.5 Cl 0.5 | 4a", "out of place"),
        ("4a | 4b", "out of place"),
        ("0 3 a D D O | 4a", "not the generator string of any space group"),
        ("0 0 0 | 4a", "space group 1 has no Wyckoff position '4a'"),
        ("4a Xx", "'Xx' is not a Wyckoff symbol"),
        ("Na 0.5 Cl", "not a list of elements"),
        ("Na 0.5 Qq 0.5", "'Qq' is not one of the 118 elements"),
        ("Na 0.333 Cl 0.5", "'0.333' is not a fraction"),
        ("Na 1.5", "'1.5' is not a fraction"),
        ("Na 0.5  Cl 0.5", "not a list of elements"),
    ],
)
def test_malformed_strings(string, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_string(string)


def test_parsing_something_else():
    with pytest.raises(TypeError, match="expected a symmetry string"):
        parse_string(3.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": []}, "parts must be"),
        ({"parts": "sites"}, "parts must be"),
        ({"parts": ["lattice"]}, "parts must be"),
        ({"sites": "letters"}, "sites must be"),
        ({"backend": "findsym"}, "backend must be"),
        ({"symprec": 0}, "symprec must be"),
        ({"symprec": "0.1"}, "symprec must be"),
        ({"angle_tolerance": -5}, "angle_tolerance must be"),
    ],
)
def test_unknown_options(options, message, crystals):
    with pytest.raises(ValueError, match=message):
        symmetry_string(crystals["rock salt"], **options)


def test_a_composition_has_no_symmetry_to_write():
    with pytest.raises(ValueError, match="a composition has no symmetry"):
        symmetry_string("NaCl", parts=["generators", "sites"])
