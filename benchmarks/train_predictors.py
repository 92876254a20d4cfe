"""Fit the predictors of `sklearn_cloud.predictors` on the MatBench tables.

    python benchmarks/train_predictors.py --work predictors --properties exfoliation_energy
    python benchmarks/train_predictors.py --work predictors        # all properties

Every finished property is a folder in --work, with the files that belong into
`sklearn_cloud/predictors/data`. The same command resumes with the properties that are missing, and
brings the texts of finished cards up to date. A property that is 0 where a class is true (the band
gap of metals) gets a new card when both are finished, with the scores of the two as one model.
Predictions of the rows left out are kept in --work/left_out; they contain rows of the tables and do
not belong into the package.
"""

from pathlib import Path

import numpy as np
from common import argument_parser, parse_arguments, script_provenance

from sklearn_cloud import load_model
from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.files import atomic_write, check_plan
from sklearn_cloud.predictors.joint_card import join_card
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
    for name, prop in PROPERTIES.items():
        if prop.zero_if and {name, prop.zero_if} & set(arguments.properties):
            join(name, prop, arguments)


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


def join(name, prop, arguments):
    """Write the card of a number and a class as one model, if both are finished."""
    folder, other = arguments.work / name, arguments.work / prop.zero_if
    if not all((one / CARD_FILE).is_file() for one in (folder, other)):
        return
    card, class_card = read_card(folder), read_card(other)
    if card.get("zero_if", {}).get("model") == class_card["model"]:
        return
    left_out = [read_left_out(arguments.work, one) for one in (name, prop.zero_if)]
    data = fetch_matbench(prop.task, data_home=arguments.data_home, download=False)
    card = join_card(prop, card, load_model(folder), class_card, *left_out, data)
    report(write_card(card, folder), f" (joint with {prop.zero_if})")


def read_left_out(work, name):
    with np.load(work / "left_out" / f"{name}.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def report(card, remark):
    """Print the scores of a predictor."""
    scores = {k: v for k, v in card["scores"].items() if isinstance(v, float)}
    text = ", ".join(f"{key} {value:.4g}" for key, value in scores.items())
    print(f"{card['name']}: {text}; {card['bytes'] / 1e6:.2f} MB{remark}", flush=True)


if __name__ == "__main__":
    main()
