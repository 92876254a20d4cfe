"""Inputs for `fuzz.py`: seeds, how they are damaged, and what reads them."""

import json
import shutil
from pathlib import Path

from sklearn_cloud import (
    CloudRegressor,
    CrystalError,
    ModelFolderError,
    SymmetryStringTransformer,
    load_model,
    save_model,
)
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import EncoderConfig, load_encoder, save_encoder
from sklearn_cloud.estimators.folder_files import MODEL_FILE, checksum

#: Modules that nothing here needs; dictionaries name them, and none may be imported.
TRAPS = {"antigravity", "this", "turtledemo", "nntplib_trap"}

VALUES = [None, "x", 1e300, float("nan"), float("inf"), -1, 0, [], {}, [1, 2], 1e-8, 10**400, True]
WORDS = ["0", "-1", "1e9", "nan", "inf", "?", ".", "1/3", "1/0", "99999", "''", "1e400", "0.5(3)"]
LETTERS = "\0\t '\";_A0é₂\ufffd"
FORMULAS = [
    "CuSO4·5H2O",
    "Al2(SO4)3.18H2O",
    "Fe0.62C0.001Mn0.2",
    "[Fe(CN)6]K3",
    "NaCl",
    "La2Ti2S2O5",
]
GOOD = "NaCl"
TINY = EncoderConfig(n_layers=1, n_heads=1, width=8, intermediate=8, max_positions=64)


def damage_text(text, rng):
    """A text with one thing wrong: a letter, a word, a line, the end or the order."""
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
    """A JSON object with one value replaced or one key removed, at any depth."""
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


def several(damage, item, rng):
    """An item damaged up to three times, mostly once."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        item = damage(item, rng) if item else item
    return item


class Seeds:
    """Whole crystals, strings, models and checkpoints to damage.

    Parameters
    ----------
    folder : str or path
        Where the models are kept.
    """

    def __init__(self, folder):
        self.structures = [*load_example().structures[::4]]
        self.cifs = [s.to(fmt=kind) for s in self.structures for kind in ("cif", "poscar")]
        self.records = [s.as_dict() for s in self.structures]
        self.transformer = SymmetryStringTransformer(sites="orbits")
        self.strings = self.transformer.fit_transform(self.structures).tolist()
        gaps = list(range(len(self.strings)))
        self.model = CloudRegressor(TINY, max_epochs=1, random_state=0).fit(self.strings, gaps)
        self.folder = Path(folder)
        save_model(self.model, self.folder / "model")
        load_model(self.folder / "model").predict(self.strings[:1])
        save_encoder(self.folder / "encoder", self.model.net_.module_.encoder, TINY)
        load_encoder(self.folder / "encoder")

    def copy(self, name):
        """A copy of a folder to be damaged."""
        shutil.rmtree(self.folder / "copy", ignore_errors=True)
        return shutil.copytree(self.folder / name, self.folder / "copy")


def make_dictionary(seeds, rng):
    record = several(damage_record, rng.choice(seeds.records), rng)
    if isinstance(record, dict) and isinstance(record.get("sites"), list) and rng.random() < 0.3:
        trap = {"@module": rng.choice(sorted(TRAPS)), "@class": "X", "@callable": "x"}
        sites = [site for site in record["sites"] if isinstance(site, dict)]
        for site in sites[:1]:
            site[rng.choice(["properties", "label", "magmom"])] = {"x": trap}
        record[rng.choice(["properties", "charge", "@module"])] = rng.choice([trap, "this"])
    return record


def make_object(seeds, rng):
    structure = rng.choice(seeds.structures).copy()
    lattice, coordinates = structure.lattice.matrix.copy(), structure.frac_coords.copy()
    number = rng.choice([float("nan"), float("inf"), 0.0, -1.0, 1e-9, 1e5, 1e300, 0.5])
    damage = rng.randrange(8)
    if damage == 0:
        row = rng.randrange(3)
        lattice[row] = [number * x if x else 0.0 for x in lattice[row]]
    elif damage == 1:
        lattice[rng.randrange(3), rng.randrange(3)] = number
    elif damage == 2:
        coordinates[rng.randrange(len(coordinates)), rng.randrange(3)] = number
    elif damage == 3:
        coordinates[:] = coordinates[0]
    elif damage == 4:
        return rng.choice([None, 1, 1.5, b"NaCl", [], {}, {1}, [structure], object(), len, ...])
    species = [rng.choice([s.species, "D", "X0+", "Og"]) for s in structure]
    species = species if damage == 5 else structure.species
    return type(structure)(lattice, species, coordinates, validate_proximity=False)


def make_model(seeds, rng):
    folder = seeds.copy("model")
    path = rng.choice(sorted(folder.iterdir()))
    if path.name == MODEL_FILE and rng.random() < 0.8:
        content = several(damage_record, json.loads(path.read_text()), rng)
        content["sha256"] = checksum(content)
        path.write_text(json.dumps(content))
    else:
        damage_bytes(path, rng)
    return folder


def damage_bytes(path, rng):
    """Flip bits of a file, cut it, or remove it."""
    content = bytearray(path.read_bytes())
    damage = rng.randrange(4)
    if damage == 0:
        path.unlink()
        return
    if damage == 1:
        content = content[: rng.randrange(len(content))]
    for _ in range(rng.randint(1, 5) if damage > 1 else 0):
        content[rng.randrange(min(len(content), rng.choice([64, 10**9])))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def make_configuration(seeds, rng):
    folder = seeds.copy("encoder")
    path = rng.choice([folder / "config.json", *sorted(folder.iterdir())])
    if path.suffix == ".json" and rng.random() < 0.8:
        content = json.loads(path.read_text())
        key = rng.choice(list(content))
        content[key] = rng.choice([*VALUES, 10**5, 2**31, "1e9", [content[key]]])
        path.write_text(json.dumps(several(damage_record, content, rng)))
    else:
        damage_bytes(path, rng)
    return folder


def use_crystal(seeds, item):
    seeds.transformer.transform([seeds.structures[0], item])


def use_formula(seeds, item):
    SymmetryStringTransformer(parts=["composition"]).fit([GOOD]).transform([GOOD, item])


def use_string(seeds, item):
    seeds.model.predict([seeds.strings[0], item])


def use_model(seeds, folder):
    load_model(folder).predict(seeds.strings[:2])


def use_configuration(seeds, folder):
    load_encoder(folder)


#: kind: how an input is made, what reads it, the errors that are documented, and whether they
#: name the row (the input is row 1).
KINDS = {
    "cif": (
        lambda seeds, rng: several(damage_text, rng.choice(seeds.cifs), rng),
        use_crystal,
        (CrystalError,),
        True,
    ),
    "dictionary": (make_dictionary, use_crystal, (CrystalError, TypeError), True),
    "object": (make_object, use_crystal, (CrystalError, TypeError), True),
    "formula": (
        lambda seeds, rng: several(damage_text, rng.choice(FORMULAS), rng),
        use_formula,
        (CrystalError,),
        True,
    ),
    "string": (
        lambda seeds, rng: several(damage_text, rng.choice(seeds.strings), rng),
        use_string,
        (ValueError,),
        True,
    ),
    "model folder": (make_model, use_model, (ModelFolderError,), False),
    "configuration": (make_configuration, use_configuration, (ModelFolderError,), False),
}
