"""Search for stable crystals: train on Materials Project, predict WBM crystals, build the hull.

    python benchmarks/tables/discovery.py --encoder NAME
    python benchmarks/tables/discovery.py --potential chgnet --train-rows 5000

A `CloudRegressor` learns the formation energy on MatBench's `mp_e_form`, predicts that of WBM
crystals, and the distance to the convex hull of the training phases says which are stable
(Tables 6 and 7, Figures 3 and 5 of the paper). With `--potential` the energies are those of a
pre-trained potential, for the crystals as they are given.

Without the files of Matbench Discovery in the data folder this is a reconstruction: 10,000 WBM
crystals, labels from a hull of MatBench's phases.

The predictions are kept in the folder that `--predictions` names (default: predictions in the data
folder); a run that finds them there does not train again.
"""

import bz2
import json
import sys
import time
from pathlib import Path

import numpy as np

from sklearn_cloud.baselines.registry import FREE, POTENTIAL
from sklearn_cloud.datasets import fetch_discovery, fetch_matbench
from sklearn_cloud.evaluation import ConvexHull, roc_points, rolling_error, stability_table
from sklearn_cloud.evaluation.metrics import STABILITY_SCORES
from sklearn_cloud.evaluation.predictions import (
    predictions_path,
    read_predictions,
    write_predictions,
)
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance
from folds import predictions_folder

ROC_POINTS = 200  # kept for the figure


def main():
    arguments = parse_arguments(parser())
    version = "official" if arguments.official else "reconstruction"
    wbm = fetch_discovery(version, data_home=arguments.data_home, verbose=1)
    chosen = choose(len(wbm.ids), arguments.candidates, arguments.seed)

    path = result_path(arguments.results, "matbench_discovery", "wbm", arguments.name)
    whole = len(chosen) == len(wbm.ids)
    result = open_result(
        path,
        benchmark="matbench_discovery",
        task="wbm",
        model=arguments.name,
        rows=len(chosen),
        coverage=None if wbm.is_reconstruction else wbm.coverage * len(chosen) / len(wbm.ids),
        configuration=configuration(arguments, version),
        n_folds=1,
        kind=POTENTIAL if arguments.potential else FREE,
    )
    if result.folds:
        print(f"{path} is finished")
        return
    training = fetch_matbench("mp_e_form", data_home=arguments.data_home, verbose=1)
    e_pred, seconds = predictions(arguments, training, wbm, chosen, result)
    e_above_hull, e_above_hull_pred = distances(arguments, training, wbm, chosen, e_pred)
    subset = None if wbm.is_reconstruction else wbm.unique_prototype[chosen]

    table = stability_table(e_above_hull, e_above_hull_pred, subset=subset)
    add_fold(
        result,
        0,
        finite(table.loc[0.0], STABILITY_SCORES),
        seconds_fit=seconds["fit"],
        seconds_predict=seconds["predict"],
        n_train=seconds["n_train"],
        n_test=len(chosen),
    )
    result.details = details(e_above_hull, e_above_hull_pred, table, subset)
    result.provenance = script_provenance(all_crystals=whole)
    write_result(path, result)
    print(table.T.to_string())
    print(f"written to {path}; draw the figures with benchmarks/tables/leaderboard.py")


def parser():
    built = argument_parser(__doc__)
    built.add_argument("--name", default="sklearn_cloud", help="name of the model in the tables")
    built.add_argument("--encoder", help="checkpoint to start from (default: random weights)")
    built.add_argument("--potential", help="in place of CLOUD, as in PotentialFeatures")
    built.add_argument("--weights", help="file or folder with the weights of the potential")
    built.add_argument("--epochs", type=int, default=10)
    built.add_argument("--batch-size", type=int, default=128)
    built.add_argument("--learning-rate", type=float, default=2e-4)
    built.add_argument("--head-layers", type=int, default=1)
    built.add_argument("--sites", choices=["set", "orbits"], default="set")
    built.add_argument("--device")
    built.add_argument("--train-rows", type=int, help="train on that many rows, chosen by --seed")
    built.add_argument("--candidates", type=int, help="predict that many crystals")
    built.add_argument("--official", action="store_true", help="the files of Matbench Discovery")
    built.add_argument("--predictions", type=Path, help="folder in which predictions are kept")
    built.add_argument("--results", type=Path, default=RESULTS)
    return built


def configuration(arguments, version):
    """Every setting that can change a score."""
    names = "encoder epochs batch_size learning_rate head_layers sites train_rows candidates seed"
    if arguments.potential:
        names = "potential train_rows candidates seed"
    return {"version": version} | {name: getattr(arguments, name) for name in names.split()}


def choose(n, wanted, seed):
    """Sorted row numbers: all, or `wanted` of them by chance."""
    if wanted is None or wanted >= n:
        return np.arange(n)
    return np.sort(np.random.RandomState(seed).permutation(n)[:wanted])


def predictions(arguments, training, wbm, chosen, result):
    """Predicted formation energies, read where they are kept, else made; NaN where none is."""
    file = predictions_path(predictions_folder(arguments), result, 0)
    rows = choose(len(training.ids), arguments.train_rows, arguments.seed)
    if file.exists():
        print(f"predictions from {file}")
        ids, values = read_predictions(file)
        known = dict(zip(ids, values))
        e_pred = np.array([known.get(name, np.nan) for name in wbm.ids[chosen]])
        return e_pred, {"fit": 0.0, "predict": 0.0, "n_train": len(rows)}
    model, transformer = pipeline(arguments)
    known, candidates = training.structures[rows], wbm.structures[chosen]
    start = time.perf_counter()
    if transformer is not None:
        known = transformer.fit_transform(known)
    model.fit(known, training.target[rows])
    fitted = time.perf_counter()
    if transformer is not None:
        candidates = transformer.set_params(on_error="warn").transform(candidates)
    readable = np.array([candidate is not None for candidate in candidates])
    e_pred = np.full(len(chosen), np.nan)
    e_pred[readable] = model.predict(candidates[readable])
    seconds = {"fit": fitted - start, "predict": time.perf_counter() - fitted}
    write_predictions(file, wbm.ids[chosen[readable]].tolist(), e_pred[readable])
    return e_pred, {**seconds, "n_train": len(rows)}


def pipeline(arguments):
    """The two steps of the pipeline, apart: strings that fail at prediction are NaN.

    A potential reads the crystals themselves, and has no first step.
    """
    from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
    from sklearn_cloud.baselines import PotentialEnergyRegressor

    if arguments.potential:
        options = {"weights": arguments.weights, "device": arguments.device, "verbose": 1}
        return PotentialEnergyRegressor(arguments.potential, **options), None
    transformer = SymmetryStringTransformer(sites=arguments.sites, verbose=1)
    model = CloudRegressor(
        arguments.encoder,
        max_epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        head_layers=arguments.head_layers,
        device=arguments.device,
        random_state=arguments.seed,
        verbose=1,
    )
    return model, transformer


def distances(arguments, training, wbm, chosen, e_pred):
    """True and predicted energy above the hull, in eV/atom."""
    if not wbm.is_reconstruction:
        # as Matbench Discovery does: the error of the energy moves the true distance
        e_true = wbm.e_above_hull[chosen]
        return e_true, e_true + e_pred - wbm.target[chosen]
    hull = ConvexHull(*phases(training, arguments.data_home))
    on_hull = hull.hull_energies(wbm.compositions[chosen], verbose=1)
    return wbm.target[chosen] - on_hull, e_pred - on_hull


def phases(training, data_home):
    """Compositions and formation energies of the training phases.

    Where the table lacks rows, the list of all its targets is taken: a phase that lacks would
    make its neighbours look stable.
    """
    path = data_home / "matbench/targets/matbench_mp_e_form.json.bz2"
    if training.coverage < 1 and path.is_file():
        with bz2.open(path, "rt") as file:
            table = json.load(file)
        return list(table["composition"].values()), list(table["e_form"].values())
    return [crystal.composition for crystal in training.structures], training.target


def details(e_true, e_pred, table, subset):
    """What tables and figures need beyond the scores."""
    fpr, tpr, _ = roc_points(e_true, e_pred, subset=subset)
    kept = np.unique(np.linspace(0, len(fpr) - 1, ROC_POINTS).astype(int))
    if subset is not None:
        e_true, e_pred = e_true[subset], e_pred[subset]
    centers, mae, sem, counts = rolling_error(e_true, e_pred)
    counted = counts > 1
    return {
        "n": int(table["n"].iloc[0]),
        "n_stable": int(table["n_stable"].iloc[0]),
        "n_missing": int(table["n_missing"].iloc[0]),
        "thresholds": {
            str(threshold): finite(row, STABILITY_SCORES[:6]) for threshold, row in table.iterrows()
        },
        "roc": {"fpr": rounded(fpr[kept]), "tpr": rounded(tpr[kept])},
        "rolling": {
            "e_above_hull": rounded(centers[counted]),
            "mae": rounded(mae[counted]),
            "sem": rounded(sem[counted]),
        },
    }


def finite(row, names):
    """Scores of a row; without any crystal predicted stable there is no precision."""
    return {name: float(row[name]) for name in names if np.isfinite(row[name])}


def rounded(values):
    return np.round(values, 5).tolist()


if __name__ == "__main__":
    main()
