"""How well does BOWSR find the cells of known crystals again, and their energies?

    python benchmarks/tables/relaxation.py --potential chgnet --crystals 12
    python benchmarks/tables/relaxation.py --potential chgnet --crystals 10 --source wbm

Crystals of the package's example table, or relaxed WBM crystals of the discovery table, are
distorted: strains that symmetry leaves free by up to 5 %, displacements by up to 0.15 angstrom.
`BowsrRelaxer` relaxes them. Cell lengths, sites and the predicted energy before and after are
compared with those of the known crystal. WBM crystals have a known formation energy too: it is
predicted by `PotentialEnergyRegressor`, fitted to other crystals of the table, for the crystal as
it is known, distorted and relaxed.
"""

import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sklearn_cloud.baselines import PotentialEnergyRegressor
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.datasets import fetch_discovery, load_example
from sklearn_cloud.features import PotentialFeatures
from sklearn_cloud.relaxation import BowsrRelaxer
from sklearn_cloud.relaxation.free_parameters import FreeParameters

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, script_provenance, write_json

MOST_SITES = 12
STRAIN, DISPLACEMENT = 0.05, 0.15  # angstrom
SYMPREC = {"example": 0.01, "wbm": 0.1}  # angstrom; relaxed cells are less exact


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--potential", default="chgnet", help="as in PotentialFeatures")
    parser.add_argument("--weights", help="file or folder with the weights of the potential")
    parser.add_argument("--source", choices=["example", "wbm"], default="example")
    parser.add_argument("--crystals", type=int, default=12)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--fit-rows", type=int, default=600, help="of WBM, for formation energies")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    potential = {"weights": arguments.weights, "device": "cpu"}
    relaxer = BowsrRelaxer(
        arguments.potential,
        n_trials=arguments.trials,
        symprec=SYMPREC[arguments.source],
        random_state=arguments.seed,
        **potential,
    )
    energy = PotentialFeatures(arguments.potential, quantity="energy", **potential)
    rows, chosen, states = [], choose(arguments, rng), []
    for name, known in tqdm(chosen):
        free = FreeParameters(known, SYMPREC[arguments.source])
        sizes = [STRAIN] * len(free.strains) + [DISPLACEMENT] * len(free.displacements)
        distorted = free.apply(rng.uniform(-1, 1, len(sizes)) * sizes)
        start = time.perf_counter()
        relaxed = read_crystal(relaxer.fit_transform([distorted])[0])
        seconds = time.perf_counter() - start
        states.append((known, distorted, relaxed))
        right, *energies = energy.fit_transform([known, distorted, relaxed])[:, 0]
        rows.append(
            {
                "crystal": name,
                "free_parameters": len(sizes),
                "cell_before": cell_error(distorted, known),
                "cell_after": cell_error(relaxed, known),
                "sites_before": site_error(distorted, known),
                "sites_after": site_error(relaxed, known),
                "energy_before": round(float(energies[0] - right), 4),
                "energy_after": round(float(energies[1] - right), 4),
                "seconds": round(seconds, 1),
            }
        )
    names = [name for name in rows[0] if name not in ("crystal", "free_parameters")]
    means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in names}
    result = {"potential": arguments.potential, "trials": arguments.trials, "mean": means}
    if arguments.source == "wbm":
        result["formation_energy_mae"] = formation_errors(arguments, potential, chosen, states)
    source = "" if arguments.source == "example" else f"{arguments.source}_"
    path = write_json(
        f"relaxation_{source}{arguments.potential}",
        {**script_provenance(seed=arguments.seed), **result, "crystals": rows},
    )
    for row in rows:
        print(row)
    print(means, f"written to {path}")


def formation_errors(arguments, potential, chosen, states):
    """Mean absolute errors of predicted formation energies in eV/atom, by state of the crystal."""
    wbm = fetch_discovery("reconstruction", data_home=arguments.data_home)
    rows = {identifier: row for row, identifier in enumerate(wbm.ids)}
    right = wbm.target[[rows[name] for name, _ in chosen]]
    others = np.setdiff1d(np.arange(len(wbm.ids)), [rows[name] for name, _ in chosen])
    others = np.random.default_rng(arguments.seed).permutation(others)[: arguments.fit_rows]
    model = PotentialEnergyRegressor(arguments.potential, **potential)
    model.fit(wbm.structures[others], wbm.target[others])
    names = ("known", "distorted", "relaxed")
    return {
        name: round(float(np.abs(model.predict(list(crystals)) - right).mean()), 4)
        for name, crystals in zip(names, zip(*states))
    }


def choose(arguments, rng):
    """Names and crystals, small ones only."""
    if arguments.source == "example":
        return choose_examples(arguments.crystals, rng)
    wbm = fetch_discovery("reconstruction", data_home=arguments.data_home)
    places = iter(rng.permutation(len(wbm.ids)))
    chosen = []
    while len(chosen) < arguments.crystals:
        place = next(places)
        crystal = read_crystal(wbm.structures[place])
        if len(crystal.positions) <= MOST_SITES:
            chosen.append((str(wbm.ids[place]), crystal))
    return chosen


def choose_examples(wanted, rng):
    """Names and crystals of different prototypes."""
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
