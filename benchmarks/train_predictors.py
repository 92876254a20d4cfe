"""Fit the predictors of `sklearn_cloud.predictors` on the MatBench tables.

    python benchmarks/train_predictors.py --work predictors --properties exfoliation_energy
    python benchmarks/train_predictors.py --work predictors        # all properties

Every finished property is a folder in --work, with the files that belong into
`sklearn_cloud/predictors/data`. The same command resumes with the properties that are missing, and
brings the texts of finished cards up to date.
Predictions of the rows left out are kept in --work/left_out; they contain rows of the tables and do
not belong into the package.
"""

from pathlib import Path

import numpy as np
from common import argument_parser, parse_arguments, script_provenance

from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.files import atomic_write, check_plan
from sklearn_cloud.predictors.predictor_folder import (
    CARD_FILE,
    read_card,
    write_card,
    write_predictor,
)
from sklearn_cloud.predictors.properties import PROPERTIES
from sklearn_cloud.predictors.recipe import describe_property, train_predictor


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the results")
    parser.add_argument("--properties", nargs="+", default=list(PROPERTIES), choices=PROPERTIES)
    parser.add_argument(
        "--members", nargs="+", help="names of the members (default: those of each property)"
    )
    parser.add_argument("--device", help="of the networks (default: a GPU if there is one)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read crystals")
    arguments = parse_arguments(parser)
    for name in arguments.properties:
        train(name, arguments)


def train(name, arguments):
    """Make one predictor, unless it is finished."""
    folder = arguments.work / name
    settings = {"members": arguments.members, "seed": arguments.seed}
    check_plan(arguments.work / "plans" / f"{name}.json", settings, "predictor")
    if (folder / CARD_FILE).is_file():
        card = read_card(folder)
        texts = describe_property(PROPERTIES[name])
        if any(card[key] != text for key, text in texts.items()):
            card = write_card({**card, **texts}, folder)
        report(card, " (finished before)")
        return
    data = fetch_matbench(PROPERTIES[name].task, data_home=arguments.data_home, download=False)
    ensemble, card, left_out = train_predictor(
        name,
        data,
        provenance=script_provenance(device=arguments.device or "auto"),
        members=arguments.members,
        device=arguments.device,
        n_jobs=arguments.jobs,
        seed=arguments.seed,
        verbose=1,
    )
    with atomic_write(arguments.work / "left_out" / f"{name}.npz") as path:
        with open(path, "wb") as file:
            np.savez_compressed(file, ids=data.ids[left_out["rows"]], **left_out)
    card = write_predictor(ensemble, card, folder)
    report(card, "")


def report(card, remark):
    """Print the scores of a predictor."""
    scores = {k: v for k, v in card["scores"].items() if isinstance(v, float)}
    text = ", ".join(f"{key} {value:.4g}" for key, value in scores.items())
    print(f"{card['name']}: {text}; {card['bytes'] / 1e6:.2f} MB{remark}", flush=True)


if __name__ == "__main__":
    main()
