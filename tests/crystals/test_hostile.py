"""Whatever is done to an item, it is a crystal or a CrystalError, and nothing else happens."""

import json
import random
import warnings

import pytest

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals import read_crystal

VALUES = [None, "x", 1e300, float("nan"), float("inf"), -1, 0, [], {}, [1, 2], 1e-8, 10**400, True]
WORDS = ["0", "-1", "1e9", "nan", "inf", "?", ".", "1/3", "1/0", "99999", "''", "1e400", "0.5(3)"]
LETTERS = "\0\t '\";_A0é₂\ufffd"


def damage_text(text, rng):
    lines = text.split("\n")
    line = rng.randrange(len(lines))
    words = lines[line].split(" ")
    words[rng.randrange(len(words))] = rng.choice(WORDS)
    place = rng.randrange(len(text))
    return rng.choice(
        [
            text[:place] + rng.choice(LETTERS) + text[place + 1 :],
            text[:place],
            text[:place] + text[place : place + 20] * 3 + text[place:],
            "\n".join(lines[:line] + lines[line + 1 :]),
            "\n".join(lines[:line] + [" ".join(words)] + lines[line + 1 :]),
            "\n".join(lines[line:] + lines[:line]),
        ]
    )


def damage_record(record, rng):
    record = json.loads(json.dumps(record))
    node = record
    while True:
        key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.2:
            break
        node = inner
    if isinstance(node, dict) and rng.random() < 0.3:
        del node[key]
    else:
        node[key] = rng.choice(VALUES)
    return record


def is_read(item):
    try:
        read_crystal(item, notes=[])
    except CrystalError as error:
        assert 0 < len(str(error)) < 500
        return False
    return True


@pytest.mark.parametrize("kind", ["cif", "poscar"])
def test_damaged_texts(kind, crystals):
    rng = random.Random(0)
    texts = [structure.to(fmt=kind) for structure in crystals.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = [is_read(damage_text(rng.choice(texts), rng)) for _ in range(400)]
    assert any(read) and not all(read)


def test_damaged_dictionaries(crystals):
    rng = random.Random(0)
    records = [structure.as_dict() for structure in crystals.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = [is_read(damage_record(rng.choice(records), rng)) for _ in range(400)]
    assert any(read) and not all(read)


def test_damaged_formulas():
    rng = random.Random(0)
    formulas = ["CuSO4·5H2O", "Al2(SO4)3.18H2O", "Fe0.62C0.001Mn0.2", "[Fe(CN)6]K3"]
    read = [is_read(damage_text(rng.choice(formulas), rng)) for _ in range(400)]
    assert any(read) and not all(read)
