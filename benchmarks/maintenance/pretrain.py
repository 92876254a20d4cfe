"""Build the corpus and pre-train the encoder that ships with the package.

    python benchmarks/maintenance/pretrain.py --size mini --work DIR

The corpus is written in both forms (`sites="set"` and `sites="orbits"`), and the encoder learns
them together. Everything resumes: run the same command again after an interruption. The result
file holds losses, held-out scores, and those of counting tokens. Needs
`corpus/mp_structures.tsv.xz` and `corpus/symmetry_only.csv.gz` in the data folder.
"""

import sys
from pathlib import Path

import numpy as np

from sklearn_cloud.encoder import ENCODER_SIZES
from sklearn_cloud.pretraining import pretrain
from sklearn_cloud.pretraining.corpus import JoinedCorpus, held_out_rows
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.pretraining.scores import score_baselines

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments, script_provenance, write_json

SOURCES = (
    (
        "Materials Project 2025.02, without GNoME",
        "mp_structures.tsv.xz",
        "CC-BY 4.0",
        "https://github.com/fxcoudert/topology_databases",
    ),
    (
        "symmetry only: NREL, MP-20, MPTS-52, Perov-5, TAATA, 3DSC, JARVIS",
        "symmetry_only.csv.gz",
        "MIT, Apache-2.0, CC-BY 4.0, NIST public terms",
        "https://github.com/jlaw9/upper-bound-energy-gnn, https://github.com/CompRhys/aviary, "
        "https://github.com/SymmetryAdvantage/WyckoffTransformer, "
        "https://github.com/aimat-lab/3DSC, https://github.com/usnistgov/jarvis_leaderboard",
    ),
)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for corpus and checkpoints"
    )
    parser.add_argument("--size", choices=["mini", "small"], default="mini")
    parser.add_argument("--name", default=None, help="of the run (default: the size)")
    parser.add_argument("--sites", nargs="+", default=["set", "orbits"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--geometry-weight", type=float, default=1.0)
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parse_arguments(parser)
    name = arguments.name or arguments.size

    corpora = []
    for sites in arguments.sites:
        sources = [
            CorpusSource(title, arguments.data_home / "corpus" / file, licence, url)
            for title, file, licence, url in SOURCES
        ]
        folder = arguments.work / f"corpus-{sites}"
        corpora.append(
            build_corpus(folder, sources, sites=sites, n_jobs=arguments.n_jobs, verbose=1)
        )
    manifest = {key: corpora[0].manifest[key] for key in ("rows", "sources", "dropped")}
    result = pretrain(
        corpora,
        arguments.work / name,
        config=ENCODER_SIZES[arguments.size],
        geometry_weight=arguments.geometry_weight,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        device_batch_size=min(256, arguments.batch_size),
        learning_rate=arguments.learning_rate,
        random_state=arguments.seed,
        save_steps=200,
        metadata={"corpus": manifest, "sites": arguments.sites},
        verbose=1,
    )
    summary = {
        **script_provenance(seed=arguments.seed),
        "corpus": manifest,
        "plan": result["plan"],
        "held_out": result["held_out"],
        "baselines": count_baselines(corpora, result["plan"]),
        "history": result["history"],
    }
    path = write_json(f"pretraining_{name}", summary)
    print(f"encoder: {result['encoder']}, losses: {path}")


def count_baselines(corpora, plan):
    """What counting predicts of the same held-out tokens."""
    corpus = JoinedCorpus(corpora)
    held_out = held_out_rows(corpus, plan["held_out"])
    return score_baselines(
        corpus,
        np.flatnonzero(~held_out),
        np.flatnonzero(held_out),
        mask_probability=plan["mask_probability"],
    )


if __name__ == "__main__":
    main()
