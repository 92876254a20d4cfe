"""Does one crystal always give one string? Counted on crystals of the Materials Project.

    python benchmarks/tables/canonical_strings.py --crystals 5000

Each crystal is written down anew in several ways that leave it the same (sites in another order,
another origin, another cell, primitive and conventional cells, a rotation) and the strings are
compared. Random noise on the coordinates is reported next to them: it makes another crystal, whose
string should rarely differ. Needs `corpus/mp_structures.tsv.xz` in the data folder.
"""

import sys
from pathlib import Path
from random import Random

import numpy as np
from tqdm import tqdm

from sklearn_cloud.pretraining.corpus_sources import read_structure_table
from sklearn_cloud.symmetry.parsing import parse_string
from sklearn_cloud.symmetry.strings import PARTS, compose_string

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments, script_provenance, write_json


def permute(crystal, rng):
    order = rng.permutation(len(crystal.kinds))
    return crystal._replace(positions=crystal.positions[order], kinds=crystal.kinds[order])


def shift_origin(crystal, rng):
    return crystal._replace(positions=np.mod(crystal.positions + rng.random(3), 1.0))


def rotate(crystal, rng):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    return crystal._replace(lattice=crystal.lattice @ rotation)


def change_cell(crystal, rng):
    """A random unimodular change of cell: four shears and an exchange of two vectors."""
    change = np.eye(3, dtype=int)
    for _ in range(4):
        i, j = rng.choice(3, 2, replace=False)
        shear = np.eye(3, dtype=int)
        shear[i, j] = rng.choice([-1, 1])
        change = shear @ change
    return with_basis(crystal, change[[1, 0, 2]])


def with_basis(crystal, change):
    positions = crystal.positions @ np.linalg.inv(change)
    return crystal._replace(lattice=change @ crystal.lattice, positions=np.mod(positions, 1.0))


def to_primitive(crystal, rng):
    return standard_cell(crystal, "prim_std_cell")


def to_conventional(crystal, rng):
    return standard_cell(crystal, "std_cell")


def standard_cell(crystal, name):
    import moyopy

    cell = moyopy.Cell(crystal.lattice.tolist(), crystal.positions.tolist(), crystal.kinds.tolist())
    # a tight tolerance: the standard cell is then the same crystal, not an idealised one
    found = getattr(moyopy.MoyoDataset(cell, symprec=1e-4), name)
    return crystal._replace(
        lattice=np.array(found.basis),
        positions=np.array(found.positions),
        kinds=np.array(found.numbers, dtype=np.int32),
    )


def double_cell(crystal, rng):
    axis = rng.integers(3)
    half = np.eye(3)[axis] / 2
    positions = crystal.positions.copy()
    positions[:, axis] /= 2
    lattice = crystal.lattice.copy()
    lattice[axis] *= 2
    return crystal._replace(
        lattice=lattice,
        positions=np.concatenate([positions, positions + half]),
        kinds=np.tile(crystal.kinds, 2),
    )


def add_noise(crystal, rng):
    return crystal._replace(
        positions=crystal.positions + rng.normal(scale=1e-4, size=crystal.positions.shape)
    )


CHANGES = (
    permute,
    shift_origin,
    rotate,
    change_cell,
    to_primitive,
    to_conventional,
    double_cell,
    add_noise,
)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--crystals", type=int, default=5000)
    parser.add_argument("--symprec", type=float, default=0.1)
    parser.add_argument("--backends", nargs="+", default=["moyopy", "spglib"])
    arguments = parse_arguments(parser)
    table = arguments.data_home / "corpus" / "mp_structures.tsv.xz"
    everything = list(read_structure_table(table))
    crystals = Random(arguments.seed).sample(everything, arguments.crystals)
    del everything

    result = {"crystals": len(crystals), "symprec": arguments.symprec, "changed": {}}
    strings = {}
    for backend in arguments.backends:
        options = {"symprec": arguments.symprec, "backend": backend}
        strings[backend], counts = count_changes(crystals, options, arguments.seed)
        result["changed"][backend] = counts
    if len(strings) == 2:
        first, second = strings.values()
        result["backends_differ"] = sum(a != b for a, b in zip(first, second, strict=True))
    print(result)
    path = write_json("canonical_strings", {**script_provenance(seed=arguments.seed), **result})
    print(f"written to {path}")


def count_changes(crystals, options, seed):
    options = {"parts": PARTS, "sites": "orbits", "angle_tolerance": None, **options}
    references = [compose_string(crystal, **options) for _, crystal in crystals]
    for string in references:
        if str(parse_string(string)) != string:
            raise RuntimeError(f"{string!r} does not survive parsing")
    counts = {}
    for change in CHANGES:
        rng = np.random.default_rng(seed)
        counts[change.__name__] = 0
        for (name, crystal), reference in zip(tqdm(crystals), references, strict=True):
            string = compose_string(change(crystal, rng), **options)
            if string != reference:
                counts[change.__name__] += 1
                if counts[change.__name__] <= 3:
                    tqdm.write(f"{name} {change.__name__}: {reference} -> {string}")
    return references, counts


if __name__ == "__main__":
    main()
