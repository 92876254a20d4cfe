import warnings

import numpy as np
import pytest
import spglib

from sklearn_cloud.symmetry import generator_operations, generator_string, space_group_number


def operation_set(rotations, translations):
    """Comparable form of a list of operations; translations in units of 1/24."""
    steps = np.rint(np.mod(translations, 1) * 24).astype(int) % 24
    return {(r.tobytes(), t.tobytes()) for r, t in zip(rotations.astype(int), steps, strict=True)}


@pytest.fixture(scope="module")
def settings():
    """{space group number: operation sets of all its settings in spglib's database}."""
    table = {number: [] for number in range(1, 231)}
    for hall_number in range(1, 531):
        with warnings.catch_warnings():  # spglib announces another way of handling errors
            warnings.simplefilter("ignore", DeprecationWarning)
            operations = spglib.get_symmetry_from_database(hall_number)
            number = spglib.get_spacegroup_type(hall_number).number
        table[number].append(operation_set(operations["rotations"], operations["translations"]))
    return table


@pytest.mark.parametrize("number", range(1, 231))
def test_generates_the_space_group_operation_for_operation(number, settings):
    operations = operation_set(*generator_operations(generator_string(number)))
    assert operations in settings[number]


def test_second_origin_generates_another_setting_of_the_same_group(settings):
    # two digits, four symbols a generator, and 1 with three translations
    with_origin = [n for n in range(1, 231) if len(generator_string(n)) % 4 == 2]
    assert len(with_origin) == 24  # the groups with two origin choices in International Tables A
    for number in with_origin:
        string = generator_string(number)
        second = operation_set(*generator_operations(string, origin_choice=2))
        assert second in settings[number]
        assert second != operation_set(*generator_operations(string))


def test_strings_are_distinct_and_invert():
    assert [space_group_number(generator_string(n)) for n in range(1, 231)] == list(range(1, 231))


def test_known_strings():
    assert generator_string(35) == "03aDDObOOOjOOO0"
    assert generator_string(39) == "03aODDbOOOjODO0"
    assert generator_string(131) == "13bOOOgOODcOOO0"


def test_blanks_do_not_matter():
    compact = generator_operations("03aDDObOOOjOOO0")
    spaced = generator_operations("0 3 a D D O b O O O j O O O 0")
    np.testing.assert_array_equal(compact[0], spaced[0])
    np.testing.assert_array_equal(compact[1], spaced[1])


@pytest.mark.parametrize("number", [0, 231, -1, 2.0, "35", True, None])
def test_unknown_space_group(number):
    with pytest.raises(ValueError, match="integer from 1 to 230"):
        generator_string(number)


@pytest.mark.parametrize(
    ("string", "message"),
    [
        ("", "must start with"),
        ("2 1 aDDO 0", "must start with"),
        ("01aDD0", "generators of four symbols"),
        ("01aDDO1DD", "generators of four symbols"),
        ("01zDDO0", "'z' is not a matrix"),
        ("01aDDQ0", "'Q' is not a translation"),
        ("02bOOOnOOO0x", "generators of four symbols"),
    ],
)
def test_malformed_strings(string, message):
    with pytest.raises(ValueError, match=message):
        generator_operations(string)


def test_infinite_group_is_an_error():
    # cubic and hexagonal rotations together close on no finite group
    with pytest.raises(ValueError, match="more operations than any space group"):
        generator_operations("02dOOOnOOO0")


def test_missing_second_origin():
    with pytest.raises(ValueError, match="no second origin choice"):
        generator_operations("03aDDObOOOjOOO0", origin_choice=2)
    with pytest.raises(ValueError, match="no space group|not the generator string"):
        space_group_number("01aDDO0")
