"""How close are the phonons of a potential to those of MatBench's phonons table?

    python benchmarks/tables/potential_phonons.py --potential chgnet --crystals 200
    python benchmarks/tables/potential_phonons.py --potential m3gnet --weights DIR --crystals 200

`PotentialPhysics` computes a random sample of the crystals as they are. Two of its columns are
compared with the target, the last peak of the phonon density of states: correlations, the ratio of
the computed to the known frequency, and the mean absolute error before and after all computed
frequencies are divided by the median ratio. Nothing is trained.
"""

import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr

from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.features import PotentialPhysics

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments, script_provenance, write_json

COLUMNS = ("highest frequency", "zone highest frequency", "zone last peak")


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--potential", default="chgnet", help="as in PotentialPhysics")
    parser.add_argument("--weights", help="file or folder with the weights of the potential")
    parser.add_argument("--crystals", type=int, default=200)
    parser.add_argument("--cache", help="folder in which computed crystals are kept")
    arguments = parse_arguments(parser)
    table = fetch_matbench("phonons", data_home=arguments.data_home, download=False)
    rng = np.random.RandomState(arguments.seed)
    rows = rng.permutation(len(table.target))[: arguments.crystals]
    physics = PotentialPhysics(
        arguments.potential,
        properties=["energy", "phonons", "zone"],
        weights=arguments.weights,
        cache=arguments.cache,
        device="cpu",
        verbose=1,
    )
    start = time.process_time()
    computed = physics.set_output(transform="pandas").fit_transform(table.structures[rows])
    seconds = time.process_time() - start
    prefix = f"{arguments.potential} "
    target = table.target[rows]
    found = {name: compare(computed[prefix + name].to_numpy(), target) for name in COLUMNS}
    pressures = computed[f"{prefix}pressure"].abs()
    result = {
        "potential": arguments.potential,
        "crystals": len(rows),
        "failed": int(computed.isna().any(axis=1).sum()),
        "imaginary": round(float((computed[f"{prefix}lowest frequency"] < -10).mean()), 3),
        "median_pressure_gpa": round(float(pressures.median()), 2),
        "columns": found,
        "cpu_seconds": round(seconds, 1),
    }
    name = f"potential_phonons_{arguments.potential}"
    path = write_json(name, {**script_provenance(seed=arguments.seed), **result})
    print(result, f"written to {path}")


def compare(computed, target):
    """Correlations, ratios and errors of the rows that could be computed."""
    known = np.isfinite(computed)
    computed, target = computed[known], target[known]
    ratios = computed / target
    lower, middle, upper = np.quantile(ratios, [0.25, 0.5, 0.75])
    return {
        "pearson": round(float(pearsonr(computed, target)[0]), 4),
        "spearman": round(float(spearmanr(computed, target)[0]), 4),
        "ratio": [round(float(value), 3) for value in (lower, middle, upper)],
        "mae": round(float(np.abs(computed - target).mean()), 1),
        "mae_scaled": round(float(np.abs(computed / middle - target).mean()), 1),
    }


if __name__ == "__main__":
    main()
