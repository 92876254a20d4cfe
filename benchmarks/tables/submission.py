r"""The files of a MatBench submission, from predictions that `run_matbench.py` has kept.

    python benchmarks/run_matbench.py --tasks jdft2d steels --name cloud-mini ...
    python benchmarks/tables/submission.py --tasks jdft2d steels --name cloud-mini \
        --authors "A. Author" --out submission

Writes `results.json.gz`, recorded, scored and validated by the matbench package, and `info.json`.
Only tasks whose table is complete can be submitted. Needs matbench, see the message without it.
"""

import sys
from pathlib import Path

from sklearn_cloud.datasets import fetch_matbench, list_matbench
from sklearn_cloud.evaluation import write_submission
from sklearn_cloud.evaluation.predictions import (
    check_predictions,
    predictions_path,
    read_predictions,
)
from sklearn_cloud.evaluation.provenance import PACKAGES, list_versions
from sklearn_cloud.evaluation.results import read_result, result_path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments
from folds import predictions_folder


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", required=True, choices=list_matbench())
    parser.add_argument("--name", required=True, help="name of the model in the result files")
    parser.add_argument("--authors", required=True)
    parser.add_argument("--predictions", type=Path, help="folder that run_matbench.py wrote to")
    parser.add_argument("--results", default=RESULTS, help="folder of the result files")
    parser.add_argument("--out", type=Path, default=Path("submission"))
    arguments = parse_arguments(parser)
    folder = predictions_folder(arguments)
    tables, predictions, configurations = [], {}, {}
    for task in arguments.tasks:
        result = read_result(result_path(arguments.results, "matbench", task, arguments.name))
        configurations[task] = result.configuration
        table = fetch_matbench(task, data_home=arguments.data_home, download=False)
        tables.append(table)
        predictions[task] = [
            read_fold(predictions_path(folder, result, fold), table.ids[test])
            for fold, (_, test) in enumerate(table.folds)
        ]
    scores = write_submission(
        arguments.out,
        tables,
        predictions,
        describe(arguments, configurations),
        parameters={"configuration": str(configurations)},
    )
    for task, metrics in scores.items():
        name = "mae" if "mae" in metrics else "rocauc"
        print(f"{task}: {name} {metrics[name]['mean']:.4g} ({metrics[name]['std']:.2g})")
    print(f"written to {arguments.out}")


def read_fold(path, ids):
    """Predictions of the test rows, in the order of the table."""
    found, values = read_predictions(path)
    check_predictions(found, values, ids)
    values = dict(zip(found, values, strict=True))
    return [values[name] for name in ids]


def describe(arguments, configurations):
    versions = list_versions()
    return {
        "authors": arguments.authors,
        "algorithm": arguments.name,
        "algorithm_long": "Crystals as symmetry strings (space group generators, Wyckoff "
        "positions, composition), read by a pre-trained BERT encoder that is fine-tuned.",
        "bibtex_refs": [
            "C. Xu, S. Zhu, V. Viswanathan: CLOUD, A Scalable Scientific Foundation "
            "Model for Crystal Representation Learning"
        ],
        "notes": f"Settings: {configurations}",
        "requirements": {"python": [f"{name}=={versions[name]}" for name in PACKAGES]},
    }


if __name__ == "__main__":
    main()
