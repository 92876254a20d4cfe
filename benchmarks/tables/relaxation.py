"""How well does BOWSR find the cells of the example crystals again?

    python benchmarks/tables/relaxation.py --potential chgnet --crystals 12

Known crystals of the package's example table are distorted: strains that symmetry leaves free by up
to 5 %, displacements by up to 0.15 angstrom. `BowsrRelaxer` relaxes them. The cell lengths and
sites before and after are compared with the measured ones.
"""

import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.datasets import load_example
from sklearn_cloud.relaxation import BowsrRelaxer
from sklearn_cloud.relaxation.free_parameters import FreeParameters

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, script_provenance, write_json

MOST_SITES = 12
STRAIN, DISPLACEMENT = 0.05, 0.15  # angstrom
SYMPREC = 0.01


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--potential", default="chgnet", help="as in PotentialFeatures")
    parser.add_argument("--weights", help="file or folder with the weights of the potential")
    parser.add_argument("--crystals", type=int, default=12)
    parser.add_argument("--trials", type=int, default=40)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    relaxer = BowsrRelaxer(
        arguments.potential,
        n_trials=arguments.trials,
        weights=arguments.weights,
        device="cpu",
        symprec=SYMPREC,
        random_state=arguments.seed,
    )
    rows = []
    for name, known in tqdm(choose(arguments.crystals, rng)):
        free = FreeParameters(known, SYMPREC)
        sizes = [STRAIN] * len(free.strains) + [DISPLACEMENT] * len(free.displacements)
        distorted = free.apply(rng.uniform(-1, 1, len(sizes)) * sizes)
        start = time.perf_counter()
        relaxed = read_crystal(relaxer.fit_transform([distorted])[0])
        rows.append(
            {
                "crystal": name,
                "free_parameters": len(sizes),
                "cell_before": cell_error(distorted, known),
                "cell_after": cell_error(relaxed, known),
                "sites_before": site_error(distorted, known),
                "sites_after": site_error(relaxed, known),
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
    names = ("cell_before", "cell_after", "sites_before", "sites_after", "seconds")
    means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in names}
    result = {"potential": arguments.potential, "trials": arguments.trials, "mean": means}
    path = write_json(
        f"relaxation_{arguments.potential}",
        {**script_provenance(seed=arguments.seed), **result, "crystals": rows},
    )
    for row in rows:
        print(row)
    print(means, f"written to {path}")


def choose(wanted, rng):
    """Names and crystals, of different prototypes, small ones only."""
    example = load_example()
    table = list(zip(example.frame["formula"], example.frame["prototype"], example.structures))
    seen, chosen = set(), []
    for place in rng.permutation(len(table)):
        formula, prototype, structure = table[place]
        if prototype not in seen and len(structure) <= MOST_SITES and len(chosen) < wanted:
            seen.add(prototype)
            chosen.append((f"{formula}, {prototype}", read_crystal(structure)))
    return chosen


def cell_error(crystal, known):
    """Mean relative error of the cell lengths, in percent."""
    lengths, right = (np.linalg.norm(one.lattice, axis=1) for one in (crystal, known))
    return round(float(np.mean(np.abs(lengths / right - 1))) * 100, 3)


def site_error(crystal, known):
    """Largest distance of a site from where it is known to be, in angstrom; without shifts."""
    gaps = crystal.positions - known.positions
    gaps -= np.round(gaps)
    gaps -= gaps.mean(axis=0)
    return round(float(np.linalg.norm(gaps @ known.lattice, axis=1).max()), 4)


if __name__ == "__main__":
    main()
