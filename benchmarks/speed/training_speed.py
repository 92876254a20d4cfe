"""Training throughput of CloudRegressor against a plain PyTorch loop.

The plain loop trains the same network on the same strings in float32, every string padded to 64
tokens. Both use batches of 32, AdamW and gradient clipping; tokenization counts for
CloudRegressor and not for the plain loop. Seconds are CPU seconds of the process. Prints a table
and writes it as JSON.

    python benchmarks/speed/training_speed.py --data-home FOLDER
    python benchmarks/speed/training_speed.py --synthetic
    python benchmarks/speed/training_speed.py --profile --sizes mini --n-strings 640

With --profile it only prints where the time of CloudRegressor goes, in float32. With --fit it only
fits CloudRegressor with its default settings, and prints CPU seconds and memory:

    python benchmarks/speed/training_speed.py --fit --synthetic --n-strings 100000 --sizes mini
"""

import argparse
import cProfile
import csv
import gzip
import os
import platform
import pstats
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from sklearn_cloud.crystals.crystal import ELEMENTS
from sklearn_cloud.encoder import ENCODER_SIZES, CloudModule, SymmetryTokenizer
from sklearn_cloud.encoder.config import PAD_ID
from sklearn_cloud.estimators import CloudRegressor

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import peak_megabytes, script_provenance, write_json

STRINGS_FILE = "matbench/matbench_dielectric_cloud_by_mbid.csv.gz"
BATCH_SIZE = 32
PADDED_LENGTH = 64
LEARNING_RATE = 1e-4


def main():
    arguments = parse_arguments()
    strings, targets, data = load_strings(arguments)
    if arguments.profile:
        for size in arguments.sizes:
            print_profile(size, strings, targets)
        return
    if arguments.fit:
        for size in arguments.sizes:
            print_fit(size, strings, targets)
        return
    result = {
        **script_provenance(),
        "data": data,
        "n_strings": len(strings),
        "mean_tokens": float(np.mean([len(i) for i in SymmetryTokenizer().encode_batch(strings)])),
        "epochs": 1,
        "repeats": arguments.repeats,
        "device": "cpu",
        "processor": processor_name(),
        "threads": torch.get_num_threads(),
        "sizes": {},
    }
    for size in arguments.sizes:
        result["sizes"][size] = measure(size, strings, targets, arguments.repeats)
    print_table(result)
    write_json("training_speed", result)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", default=os.environ.get("SKLEARN_CLOUD_DATA"))
    parser.add_argument("--synthetic", action="store_true", help="random strings, no data needed")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, only")
    parser.add_argument("--fit", action="store_true", help="time one fit with defaults, only")
    parser.add_argument("--n-strings", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", default=["mini", "small"], choices=ENCODER_SIZES)
    return parser.parse_args()


def load_strings(arguments):
    """Strings and targets of MatBench's dielectric task, or random ones if asked for."""
    if arguments.synthetic:
        return *synthetic_strings(arguments.n_strings), "synthetic"
    if arguments.data_home is None:
        sys.exit("Say where the strings are: --data-home FOLDER, or --synthetic for random ones.")
    path = Path(arguments.data_home) / STRINGS_FILE
    if not path.exists():
        sys.exit(f"There is no {path}. Random strings: --synthetic.")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[: arguments.n_strings]
    return [row["cloud"] for row in rows], np.array([float(row["n"]) for row in rows]), "dielectric"


def synthetic_strings(n_strings):
    """Random strings of 18 to 45 tokens, 25 in the mean, like those of real crystals."""
    rng = np.random.RandomState(0)
    strings = []
    for _ in range(n_strings):
        generator = " ".join(["0", "3", *rng.choice(list("abcDO"), 4 * rng.randint(1, 5)), "0"])
        sites = " ".join(rng.choice(["2a", "4b", "8c", "1d"], rng.randint(1, 6)))
        composition = " ".join(f"{e} 0.25" for e in rng.choice(ELEMENTS, rng.randint(1, 5)))
        strings.append(f"{generator} | {sites} | {composition}")
    return strings, rng.normal(size=n_strings)


def measure(size, strings, targets, repeats):
    """CPU seconds of one epoch for each way of training, and the ratios to the plain loop."""
    ways = {
        "plain_fp32": lambda: plain_loop(size, strings, targets),
        "cloud_fp32": lambda: cloud_regressor(size, strings, targets, "fp32"),
        "cloud_auto": lambda: cloud_regressor(size, strings, targets, "auto"),
    }
    cloud_regressor(size, strings[:64], targets[:64], "auto")  # first calls load libraries
    seconds = {name: [] for name in ways}
    # In turns, so that a disturbance of the machine meets all of them.
    for _ in tqdm(range(repeats), desc=size):
        for name, train in ways.items():
            seconds[name].append(train())
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return {
        "config": ENCODER_SIZES[size].to_dict(),
        "seconds": seconds,
        "strings_per_second": {k: len(strings) / v for k, v in medians.items()},
        "ratios": {k: medians["plain_fp32"] / v for k, v in medians.items()},
    }


def cloud_regressor(size, strings, targets, precision):
    model = CloudRegressor(
        ENCODER_SIZES[size],
        max_epochs=1,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        validation_fraction=0,
        precision=precision,
        device="cpu",
        random_state=0,
    )
    start = time.process_time()
    model.fit(strings, targets)
    return time.process_time() - start


def print_profile(size, strings, targets):
    """Print the functions that take most of an epoch of CloudRegressor."""
    cloud_regressor(size, strings[:64], targets[:64], "fp32")  # first calls load libraries
    with cProfile.Profile() as profile:
        cloud_regressor(size, strings, targets, "fp32")
    pstats.Stats(profile).sort_stats("tottime").print_stats(20)


def print_fit(size, strings, targets):
    """Print what a fit with the default settings takes."""
    model = CloudRegressor(size, device="cpu", random_state=0)
    before, start = peak_megabytes(), time.process_time()
    model.fit(strings, targets)
    print(
        f"{size}: {len(strings):,} strings, {model.n_iter_} epochs, "
        f"{time.process_time() - start:.0f} CPU seconds, "
        f"{before:.0f} MB before and {peak_megabytes():.0f} MB after"
    )


def plain_loop(size, strings, targets):
    """One epoch of the same network, every string padded to the same length."""
    torch.manual_seed(0)
    module = CloudModule(ENCODER_SIZES[size]).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=LEARNING_RATE)
    input_ids = torch.full((len(strings), PADDED_LENGTH), PAD_ID)
    for row, ids in enumerate(SymmetryTokenizer().encode_batch(strings)):
        input_ids[row, : len(ids)] = torch.tensor(ids)
    y = torch.tensor((targets - targets.mean()) / targets.std(), dtype=torch.float32)[:, None]
    start = time.process_time()
    for rows in torch.randperm(len(strings)).split(BATCH_SIZE):
        batch = input_ids[rows]
        hidden = module.encoder(input_ids=batch, attention_mask=(batch != PAD_ID).long())
        loss = (module.head(hidden.last_hidden_state[:, 0]) - y[rows]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    return time.process_time() - start


def processor_name():
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def print_table(result):
    print(f"{result['n_strings']} strings, {result['mean_tokens']:.1f} tokens in the mean")
    print(f"{'size':8}{'way':14}{'strings/s':>10}{'ratio':>8}")
    for size, measured in result["sizes"].items():
        for name, rate in measured["strings_per_second"].items():
            print(f"{size:8}{name:14}{rate:10.0f}{measured['ratios'][name]:8.2f}")


if __name__ == "__main__":
    main()
