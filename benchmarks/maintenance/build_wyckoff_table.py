"""Derive the Wyckoff table of the package: positions and relabelings of all 230 space groups.

    pip install --no-deps pyxtal==1.1.5
    python benchmarks/maintenance/build_wyckoff_table.py

The coordinates of the Wyckoff positions come from PyXtal's copy of International Tables A; the
relabelings are computed here. A change of origin or of cell that maps a space group onto itself
(an element of its affine normalizer) permutes the Wyckoff letters, so one crystal has as many
labelings as there are distinct permutations. The table lists all of them for each group; the
library picks one labeling per crystal (`sklearn_cloud.symmetry.canonical_orbits`).

Method: linear parts P are unimodular matrices in a primitive basis that map the point group onto
itself; for each of them the shifts p with (P, p) G (P, p)^-1 = G are found on a grid of 1/24
(the origins of normalizers lie on multiples of 1/8, 1/6 and 1/4); each (P, p) moves a generic
point of every Wyckoff position onto some position; and the permutations found generate the group.
"""

import ast
import csv
import importlib.util
import itertools
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

TABLE = Path(__file__).resolve().parents[2] / "sklearn_cloud" / "data" / "wyckoff_positions.json"
LETTERS = "abcdefghijklmnopqrstuvwxyzA"
GRID = 24
IDENTITY = np.eye(3, dtype=int)
CENTERINGS = {
    "P": IDENTITY,
    "A": [[1, 0, 0], [0, 0.5, -0.5], [0, 0.5, 0.5]],
    "C": [[0.5, 0.5, 0], [-0.5, 0.5, 0], [0, 0, 1]],
    "I": [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]],
    "F": [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    "R": [[2 / 3, -1 / 3, -1 / 3], [1 / 3, 1 / 3, -2 / 3], [1 / 3, 1 / 3, 1 / 3]],
}  # columns: primitive basis vectors in the conventional basis


def read_positions():
    """{space group: [position a, b, ...]}, each position a list of (matrix, vector)."""
    folder = importlib.util.find_spec("pyxtal").submodule_search_locations[0]
    with open(Path(folder) / "database" / "wyckoff_list.csv") as file:
        rows = list(csv.reader(file))
    groups = {}
    for number, text in ((int(row[0]), row[1]) for row in rows[1:] if row[1]):
        groups[number] = [[read_triplet(t) for t in p] for p in reversed(ast.literal_eval(text))]
    return groups


def read_triplet(text):
    matrix, vector = np.zeros((3, 3), dtype=int), np.zeros(3)
    for row, part in enumerate(text.replace(" ", "").split(",")):
        for sign, factor, symbol in re.findall(r"([+-]?)(\d*)([xyz])", part):
            matrix[row, "xyz".index(symbol)] += int(sign + (factor or "1"))
        constant = re.sub(r"[+-]?\d*[xyz]", "", part)
        vector[row] = float(Fraction(constant)) if constant else 0.0
    return matrix, vector


def primitive_basis(operations):
    translations = {tuple(np.round(t % 1, 4)) for r, t in operations if (r == IDENTITY).all()}
    for symbol, basis in CENTERINGS.items():
        basis = np.array(basis, dtype=float)
        lattice = {
            tuple(np.round((basis @ n + 1e-9) % 1, 4) + 0.0)
            for n in itertools.product(range(4), repeat=3)
        }
        if lattice == translations:
            return symbol, basis
    raise ValueError(f"no centering has the translations {translations}")


def unimodular_matrices(limit):
    entries = np.arange(-limit, limit + 1, dtype=np.int8)
    matrices = np.stack(np.meshgrid(*[entries] * 9, indexing="ij"), -1).reshape(-1, 3, 3)
    a, b, c = (matrices[:, i].astype(np.int16) for i in range(3))
    return matrices[np.abs(np.einsum("ij,ij->i", a, np.cross(b, c))) == 1]


def linear_parts(rotations, candidates):
    """Unimodular matrices P with P R P^-1 in the point group for every R of it."""
    group = {r.tobytes() for r in rotations}
    keep = candidates
    for rotation in rotations[1:]:
        left = keep.astype(np.int64) @ rotation
        matches = np.zeros(len(keep), dtype=bool)
        for image in rotations:
            matches |= (left == image @ keep.astype(np.int64)).all(axis=(1, 2))
        keep = keep[matches]
        if len(group) == 2:  # inversion alone: nothing is left to test
            break
    return keep.astype(np.int64)


def shifts(linear, operations):
    """All grid points p (units of 1/GRID) with (linear, p) G (linear, p)^-1 = G."""
    points = np.stack(np.meshgrid(*[np.arange(GRID)] * 3, indexing="ij"), -1).reshape(-1, 3)
    inverse = np.rint(np.linalg.inv(linear)).astype(int)
    by_rotation = {r.tobytes(): t for r, t in operations}
    for rotation, translation in operations:
        image = linear @ rotation @ inverse
        wanted = by_rotation[image.tobytes()] - linear @ translation
        moved = points @ (IDENTITY - image).T
        points = points[((moved - wanted) % GRID == 0).all(axis=1)]
    return points


def letter_indices(points, positions):
    """Index of the most special Wyckoff position that each of `points` (n, 3) lies on."""
    found = np.full(len(points), -1)
    steps = np.array(list(itertools.product(range(-3, 4), repeat=3)))
    for index, position in enumerate(positions):
        for matrix, vector in position:
            if (found >= 0).all():
                return found
            # rows that span what the free parameters of the position cannot reach
            _, sizes, rows = np.linalg.svd(matrix.T.astype(float))
            normal = rows[int((sizes > 1e-9).sum()) :]
            offset = ((points % 1) - vector) @ normal.T
            lattice = steps @ normal.T
            near = np.abs(offset[:, None] - lattice[None]).max(-1, initial=0.0).min(1) < 1e-6
            found[near & (found < 0)] = index
    return found


def relabelings(positions, candidates):
    """Sorted permutations of the letters: entry i is the new letter of position i."""
    general = positions[-1]
    _, basis = primitive_basis(general)
    inverse = np.linalg.inv(basis)
    operations = {}
    for r, t in general:
        primitive = np.rint(inverse @ r @ basis).astype(np.int64)
        operations.setdefault(primitive.tobytes(), (primitive, np.rint(inverse @ t * GRID) % GRID))
    operations = list(operations.values())
    rotations = np.array([r for r, _ in operations])
    rng = np.random.default_rng(0)
    generic = [p[0][0] @ rng.uniform(0.05, 0.45, 3) + p[0][1] for p in positions]
    moves = [(IDENTITY, p) for p in shifts(IDENTITY, operations)]
    for linear in linear_parts(rotations, candidates):
        moves += [(linear, p) for p in shifts(linear, operations)[:1]]
    linears = np.array([basis @ m @ inverse for m, _ in moves])
    origins = np.array([basis @ (p / GRID) for _, p in moves])
    columns = [letter_indices(linears @ point + origins, positions) for point in generic]
    return close({tuple(int(i) for i in row) for row in np.stack(columns, 1)})


def close(generators):
    group, frontier = set(generators), list(generators)
    while frontier:
        current = frontier.pop()
        for generator in generators:
            product = tuple(generator[i] for i in current)
            if product not in group:
                group.add(product)
                frontier.append(product)
    return sorted(group)


def main():
    narrow, wide = unimodular_matrices(1), unimodular_matrices(2)
    table = {}
    for number, positions in tqdm(read_positions().items()):
        candidates = wide if 3 <= number <= 15 else narrow
        permutations = [tuple(range(len(positions)))]
        if len(positions) > 1:
            permutations = relabelings(positions, candidates)
        if any(sorted(p) != list(range(len(positions))) for p in permutations):
            raise RuntimeError(f"space group {number}: a relabeling is not a permutation")
        table[str(number)] = {
            "positions": [f"{len(p)}{letter}" for p, letter in zip(positions, LETTERS)],
            "relabelings": ["".join(LETTERS[i] for i in p) for p in permutations],
        }
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(entry)}" for n, entry in table.items())
    TABLE.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
