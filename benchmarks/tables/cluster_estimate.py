"""What a corpus of a given size takes, from the measured rates in `benchmarks/results`.

    python benchmarks/tables/cluster_estimate.py
    python benchmarks/tables/cluster_estimate.py --crystals 6.3e6 1e10 --epochs 50

Core hours of the symmetry search and of the pre-training, disk and memory. Reads
`string_speed.json` and `speed_of_pretraining.json`. The rate of a network that was not measured is
that of `small`, scaled by the number of weights. Nothing is extrapolated with a law of losses.
"""

import argparse
import json
import sys
from pathlib import Path

from sklearn_cloud.crystals.geometry import GEOMETRY
from sklearn_cloud.encoder import ENCODER_SIZES

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS

HOUR = 3600
TOKENS = 35  # of a crystal as orbits, mean of the corpus of scaling_curve.py
ROW_BYTES = 4 * TOKENS + 8 + 4 * len(GEOMETRY)  # of the arrays of a shard, without identifiers
KEY_BYTES = 12  # of a crystal, in the memory of the process that finds duplicates
LENGTH_BYTES = 4  # of a row, in the memory of every process that opens the corpus
FLOPS = 6  # per weight and token


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crystals", nargs="+", type=float, default=[6.3e6, 1e10])
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    strings, tokens = read_rates(arguments.results)
    for n_crystals in arguments.crystals:
        print(f"{n_crystals:.3g} crystals, {arguments.epochs} epochs")
        for name, value in estimate(n_crystals, arguments.epochs, strings, tokens).items():
            print(f"  {name}: {value:.3g}")


def read_rates(results):
    """Strings per CPU second, and tokens per CPU second of pre-training `small`."""
    strings = json.loads((results / "string_speed.json").read_text())
    training = json.loads((results / "speed_of_pretraining.json").read_text())
    return (
        strings["strings_per_second"]["sklearn_cloud, moyopy"],
        training["sizes"]["small"]["tokens_per_second"]["cloud_auto"],
    )


def estimate(n_crystals, epochs, strings_per_second, tokens_per_second):
    """Hours of one core, floating point operations, and bytes, by name."""
    tokens = n_crystals * TOKENS * epochs
    weights = {name: n_weights(ENCODER_SIZES[name]) for name in ("mini", "small", "paper")}
    core_hours = {
        f"core hours of pre-training, {name}": tokens
        / (tokens_per_second * weights["small"] / count)
        / HOUR
        for name, count in weights.items()
    }
    return {
        "core hours of strings": n_crystals / strings_per_second / HOUR,
        **core_hours,
        "operations of pre-training, paper": FLOPS * weights["paper"] * tokens,
        "GB of corpus on disk": n_crystals * ROW_BYTES / 1e9,
        "GB of memory to find duplicates": n_crystals * KEY_BYTES / 1e9,
        "GB of memory of the lengths, per process": n_crystals * LENGTH_BYTES / 1e9,
    }


def n_weights(config):
    """Weights of the matrices of the layers: attention and feed-forward."""
    return config.n_layers * config.width * (4 * config.width + 2 * config.intermediate)


if __name__ == "__main__":
    main()
