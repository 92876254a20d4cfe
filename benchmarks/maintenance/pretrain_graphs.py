"""Pre-train the graph network that ships with the package.

    python benchmarks/maintenance/pretrain_graphs.py --work DIR

Interrupted, it resumes after the last complete epoch: run the same command again. The result file
holds the losses. Needs `corpus/mp_structures.tsv.xz` in the data folder.
"""

import sys
from pathlib import Path

from sklearn_cloud.graphs.graph_config import GraphConfig
from sklearn_cloud.pretraining import pretrain_graphs, read_graph_corpus
from sklearn_cloud.pretraining.corpus_sources import read_structure_table

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments, script_provenance, write_json

_MOST_SITES = 120
_CORPUS = {
    "name": "Materials Project 2025.02, without GNoME, up to 120 sites, one crystal per string",
    "licence": "CC-BY 4.0",
    "url": "https://github.com/fxcoudert/topology_databases",
}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoints")
    parser.add_argument("--name", default="mini")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--rows", type=int, help="read only the first crystals")
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parse_arguments(parser)
    config = GraphConfig(width=arguments.width)
    table = read_structure_table(arguments.data_home / "corpus" / "mp_structures.tsv.xz")
    crystals = [crystal for _, crystal in table if len(crystal.kinds) <= _MOST_SITES]
    crystals = crystals[: arguments.rows]
    corpus = read_graph_corpus(crystals, config, n_jobs=arguments.n_jobs, verbose=1)
    source = {**_CORPUS, "read": len(crystals), "kept": len(corpus.graphs)}
    result = pretrain_graphs(
        corpus,
        arguments.work / arguments.name,
        config=config,
        epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        random_state=arguments.seed,
        metadata={"corpus": source},
        verbose=1,
    )
    summary = {
        **script_provenance(seed=arguments.seed),
        "corpus": source,
        "plan": result["plan"],
        "history": result["history"],
    }
    path = write_json(f"pretraining_graph-{arguments.name}", summary)
    print(f"network: {result['network']}, losses: {path}")


if __name__ == "__main__":
    main()
