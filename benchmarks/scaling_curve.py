"""The scaling law of the encoder: held-out loss of a grid of model sizes and corpus sizes.

    python benchmarks/scaling_curve.py --work DIR
    python benchmarks/scaling_curve.py --figures  # from the result file alone

Every model of the grid is pre-trained by masked language modelling on the first so many crystals
of one shuffled corpus and scored on the same held-out crystals. Everything resumes: run the same
command again after an interruption, or with more sizes. Then `ScalingLaw` is fitted to the losses.
Writes `benchmarks/results/scaling_curve.json` and `docs/images/scaling_curve.png`. Needs
`corpus/mp_structures.tsv.xz` in the data folder.
"""

import json
import os
import sys
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.pretraining import pretrain
from sklearn_cloud.pretraining.corpus import held_out_rows
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.pretraining.corpus_sources import read_structure_table
from sklearn_cloud.pretraining.pretraining_model import PretrainingModel
from sklearn_cloud.scaling import ScalingLaw

sys.path.append(str(Path(__file__).resolve().parent))  # where the shared code is

from common import RESULTS, argument_parser, script_provenance, write_json

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
HELD_OUT = 0.06  # of the compositions
HEAD_WIDTH = 32


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--work", type=Path, help="folder for corpus and checkpoints")
    parser.add_argument("--figures", action="store_true", help="only draw what was measured")
    parser.add_argument("--share", type=float, default=0.25, help="of the crystals of the table")
    parser.add_argument("--models", nargs="+", default=["1x32", "1x64", "2x64", "2x128"])
    parser.add_argument("--crystals", nargs="+", type=int, default=[2000, 4000, 8000, 16000, 32000])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    arguments = parser.parse_args()
    path = RESULTS / "scaling_curve.json"
    if not arguments.figures:
        if arguments.work is None or arguments.data_home is None:
            parser.error("name a folder by --work, and that of the data files by --data-home")
        path = measure(arguments)
    draw(json.loads(path.read_text()))


def measure(arguments):
    """Train the grid, the cheapest models first; the result file grows with each of them."""
    corpus = build(arguments)
    held_out = held_out_rows(corpus, HELD_OUT)
    training = np.random.RandomState(arguments.seed).permutation(np.flatnonzero(~held_out))
    largest = max(arguments.crystals)
    if largest > len(training):
        sys.exit(f"the corpus has {len(training)} training rows, not {largest}: raise --share")
    cells = [(model, n) for n in arguments.crystals for model in arguments.models]
    cells.sort(key=lambda cell: n_parameters(shape(cell[0])) * cell[1])
    runs = []
    for model, n in tqdm(cells, unit="model"):
        rows = np.sort(np.concatenate([training[:n], np.flatnonzero(held_out)]))
        runs.append(train(model, n, PartOfCorpus(corpus, rows), arguments))
        path = write_json("scaling_curve", summarize(runs, int(held_out.sum()), arguments))
    return path


def build(arguments):
    """A corpus of a random share of the crystals, the same in every run."""
    table = arguments.data_home / "corpus" / "mp_structures.tsv.xz"
    limit = arguments.share * 2**32
    crystals = (
        (identifier, crystal)
        for identifier, crystal in read_structure_table(table)
        if zlib.crc32(identifier.encode()) < limit
    )
    source = CorpusSource(f"Materials Project 2025.02, {arguments.share:g}", crystals, "CC-BY 4.0")
    return build_corpus(arguments.work / "corpus", [source], sites="orbits", verbose=1)


class PartOfCorpus:
    """Some rows of a corpus, for `pretrain`."""

    def __init__(self, corpus, rows):
        self.corpus, self.rows = corpus, rows
        self.lengths, self.manifest = corpus.lengths[rows], corpus.manifest

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.corpus[self.rows[row]]

    @property
    def fingerprint(self):
        return f"{self.corpus.fingerprint} {zlib.crc32(self.rows.tobytes())}"

    def iter_tokens(self):
        return (self[row][0] for row in range(len(self)))


def shape(model):
    """Configuration of a model named by layers x width."""
    n_layers, width = map(int, model.split("x"))
    return EncoderConfig(n_layers=n_layers, n_heads=max(1, width // HEAD_WIDTH), width=width)


def n_parameters(config):
    """Weights of the encoder's layers; embeddings and heads do not count."""
    encoder = PretrainingModel(config).encoder
    return sum(weight.numel() for weight in encoder.encoder.parameters())


def train(model, n_crystals, corpus, arguments):
    """Pre-train one model, or read what an earlier run made of it."""
    folder = arguments.work / f"{model}-{n_crystals}-{arguments.epochs}"
    finished, config = folder / "seconds.json", shape(model)
    start = time.process_time()
    if not finished.exists():
        result = pretrain(
            corpus,
            folder,
            config=config,
            epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            device_batch_size=arguments.batch_size,
            learning_rate=arguments.learning_rate,
            held_out=HELD_OUT,
            evaluations=1,
            save_steps=500,
            device="cpu",
            random_state=arguments.seed,
        )
        trained = ~held_out_rows(corpus, HELD_OUT)
        measured = {
            "held_out": result["held_out"],
            "tokens": int(corpus.lengths[trained].sum()),
            "cpu_seconds": time.process_time() - start,
        }
        finished.write_text(json.dumps(measured))
    measured = json.loads(finished.read_text())
    return {"model": model, "N": n_parameters(config), "crystals": n_crystals, **measured}


def summarize(runs, n_held_out, arguments):
    """Content of the result file: the grid and, once it is wide enough, the law."""
    return {
        **script_provenance(seed=arguments.seed),
        "threads": int(os.environ.get("OMP_NUM_THREADS", 0)) or None,
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "held_out_crystals": n_held_out,
        "runs": runs,
        "law": fit(runs),
    }


def fit(runs):
    """Coefficients of the law with their intervals and the warnings of the fit; None if too few."""
    X, loss = grid(runs)
    if min(len(np.unique(X[:, 0])), len(np.unique(X[:, 1]))) < 3 or len(X) < 6:
        return None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        law = ScalingLaw(random_state=0).fit(X, loss)
    return {
        "coefficients": law.coefficients_,
        "intervals": law.confidence_intervals(),
        "warnings": sorted({str(one.message) for one in caught}),
        "mean_relative_error": float(np.mean(np.abs(law.predict(X) / loss - 1))),
    }


def grid(runs):
    """Sizes (weights, tokens of the corpus) and losses of the runs."""
    X = np.array([(run["N"], run["tokens"]) for run in runs], dtype=float).reshape(-1, 2)
    return X, np.array([run["held_out"]["loss"] for run in runs])


def draw(result):
    """Figures 4 and 6 of the paper, for these losses."""
    if result["law"] is None:
        sys.exit("a law needs at least three model sizes and three corpus sizes")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from sklearn_cloud.plotting import IsoLossDisplay, ScalingCurveDisplay

    names = ("A", "B", "E", "alpha", "beta")
    law = ScalingLaw.from_coefficients(**{n: result["law"]["coefficients"][n] for n in names})
    X, loss = grid(result["runs"])
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.2))
    for ax, against in zip(axes, ("data", "model")):
        ScalingCurveDisplay.from_estimator(law, X, loss, against=against, ax=ax)
    IsoLossDisplay.from_estimator(law, X, ax=axes[2])
    figure.tight_layout()
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / "scaling_curve.png"
    figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
    print(path)
    for name, value in result["law"]["coefficients"].items():
        low, high = result["law"]["intervals"][name]
        print(f"{name} = {value:.4g} (95 %: {low:.4g} to {high:.4g})")


if __name__ == "__main__":
    main()
