"""Estimate how accurate a model will be on a table of one's own."""

import time
from itertools import chain

import numpy as np
from sklearn.base import clone
from tqdm.auto import tqdm

from ..baselines.registry import build_model, find_model
from ..crystals.crystal import write_formula
from ..crystals.items import as_items
from ..crystals.rows import read_rows
from ..training.checks import check_labels, check_magnitude, check_same_length, check_targets
from .own_folds import make_folds
from .report import Report

FEWEST_ROWS = 30  # with fewer, the error of the estimate is as large as the estimate
SMALLEST_TRAINING = 30  # rows at the left end of a learning curve
_SMALLEST_CLASS = 5  # rows there; `CrystalClassifier` needs as many
MEDIAN, FOREST = "median", "magpie-forest"
COVERAGE = 0.9


def evaluate_model(
    crystals,
    target,
    *,
    model="crystal",
    cv=("plain",),
    n_folds=5,
    groups=None,
    max_folds=None,
    learning_curve=False,
    classification=False,
    parameters=None,
    ids=None,
    name=None,
    unit=None,
    random_state=0,
    device=None,
    n_jobs=None,
    verbose=0,
):
    """Cross-validate a model on crystals of one's own, next to two simple models.

    Every row is predicted by models that were not fitted on it. The median (or the most frequent
    class) and a random forest on Magpie statistics of the composition are fitted on the same folds.

    Parameters
    ----------
    crystals : array-like of shape (n_rows,)
        Crystals, paths of files or formulas.
    target : array-like of shape (n_rows,)
        Numbers, or labels with `classification`.
    model : str or estimator, default="crystal"
        Name in the registry, see `sklearn_cloud.baselines.registry.find_model`, or an unfitted
        estimator that takes crystals.
    cv : sequence of {"plain", "group", "composition", "element", "space-group"}
        How folds are made, one or several: at random; so that rows of the same `groups`, or
        crystals of the same elements, stay together; or by leaving out all crystals of one element
        or space group at a time. By default, at random.
    n_folds : int, default=5
        Number of folds, unless elements or space groups are left out.
    groups : array-like of shape (n_rows,), default=None
        The group of each row, for ``cv="group"``.
    max_folds : int, default=None
        Largest number of elements or space groups to leave out, chosen at random; None means all.
    learning_curve : bool, default=False
        Whether to fit on halves, quarters and eighths of the training rows as well.
    classification : bool, default=False
        Whether the target has classes.
    parameters : dict, default=None
        Parameters of a model of the registry.
    ids : sequence of str, default=None
        Name of each crystal in the report; None numbers them from 1.
    name : str, default=None
        Name of the target in the report.
    unit : str, default=None
        Unit of the target in the report.
    random_state : int, default=0
        Seed of folds and models.
    device : str, default=None
        Device of a model of the registry; None uses CUDA if available.
    n_jobs : int, default=None
        Number of joblib workers of the models.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    Report

    Raises
    ------
    ImportError
        If a package for the model is missing; the message has the pip command.
    TypeError, CrystalError
        If rows are not crystals; the message lists all of them.
    ValueError
        If there are fewer than 30 rows, the target is constant or not numeric, has one class, or
        folds cannot be made; or a model fails on a fold, which the message names.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.evaluation import evaluate_model
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> report = evaluate_model(crystals[::4], band_gaps[::4], model="forest", n_folds=3, unit="eV")
    >>> report.scores()["mae"].round(1).tolist()
    [1.6, 1.9, 1.3]
    """
    items = as_items(crystals)
    y = _check_target(target, len(items), classification)
    models = _build_models(model, parameters, classification, random_state, device, n_jobs)
    ids = [str(i + 1) for i in range(len(items))] if ids is None else [str(i) for i in ids]
    check_same_length(ids, len(items), "ids")
    if groups is not None:
        groups = list(groups)
        check_same_length(groups, len(items), "groups")
    table = _object_array(read_rows(items, n_jobs=n_jobs))
    options = {"n_folds": n_folds, "groups": groups, "max_folds": max_folds}
    options |= {"classification": classification, "random_state": random_state}
    cvs = list(dict.fromkeys([cv] if isinstance(cv, str) else cv))
    plans = [make_folds(one, table, y, **options) for one in cvs]
    curve = []
    if learning_curve:
        plain = make_folds("plain", table, y, **options)
        curve = _smaller_parts(plain, y, options, whole="plain" not in cvs)
    n_fits = sum(len(folds) for *_, folds in chain(plans, curve)) * len(models)
    with tqdm(total=n_fits, desc="evaluate", unit="fit", disable=not verbose) as bar:
        rows = [row for plan in plans for row in _validate(models, table, y, plan, bar)]
        points = [row for plan in curve for row in _validate(models, table, y, plan, bar)]
    if learning_curve:
        points += [row for row in rows if row[0] == "plain"]
    formulas = [write_formula(crystal.composition) for crystal in table]
    settings = {
        "model": next(iter(models)),
        "parameters": parameters or {},
        "cv": cvs,
        "n_folds": n_folds,
        "random_state": random_state,
    }
    return Report._from_rows(
        rows,
        points,
        y=y,
        ids=ids,
        formulas=formulas,
        settings=settings,
        target=name or "target",
        unit=unit,
        classification=classification,
        models=list(models),
        coverage=COVERAGE,
    )


def _check_target(target, n_rows, classification):
    check = check_labels if classification else check_targets
    y = np.asarray(check(target, n_rows, "evaluate_model"))
    if y.ndim != 1:
        raise ValueError(f"evaluate_model takes a single target, but it has shape {y.shape}.")
    if n_rows < FEWEST_ROWS:
        raise ValueError(
            f"{n_rows} crystals are too few to estimate an error: pass at least {FEWEST_ROWS}."
        )
    if not classification:
        check_magnitude(y)
    distinct = np.unique(y)
    if len(distinct) == 1:
        kind = "one class" if classification else "the same value"
        raise ValueError(
            f"All {n_rows} rows have {kind}, {distinct[0]!s}: there is nothing to predict."
        )
    return y


def _build_models(model, parameters, classification, random_state, device, n_jobs):
    """Return the unfitted models by name, the one to evaluate first."""
    offered = {"random_state": random_state, "device": device, "n_jobs": n_jobs, "verbose": 0}

    def build(name, parameters=None, kind=None):
        if not find_model(name).is_installed:
            extra = find_model(name).extra
            raise ImportError(f"{name} requires: pip install 'sklearn-cloud[{extra}]'")
        chosen = build_model(name, classification=classification, parameters=parameters, **offered)
        return chosen[0]

    if isinstance(model, str):
        models = {find_model(model).name: build(model, parameters)}
    else:
        models = {type(model).__name__: clone(model)}
    if classification:
        simple = {MEDIAN: build("dummy"), FOREST: _magpie_classifier(random_state, n_jobs)}
        simple = {"most frequent class": simple[MEDIAN], FOREST: simple[FOREST]}
    else:
        simple = {MEDIAN: build("dummy", {"strategy": "median"}), FOREST: build(FOREST)}
    return models | {name: one for name, one in simple.items() if name not in models}


def _magpie_classifier(random_state, n_jobs):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    from ..features.magpie import MagpieFeatures

    forest = RandomForestClassifier(300, random_state=random_state, n_jobs=n_jobs)
    return make_pipeline(MagpieFeatures(n_jobs=n_jobs), forest)


def _smaller_parts(plan, y, options, whole):
    """Return the plans of a learning curve: the same test rows, and parts of the training rows.

    Parts with too few rows of a class are left out. With `whole`, the last plan has all of the
    training rows.
    """
    largest = min(len(train) for train, _ in plan.folds)
    smallest = SMALLEST_TRAINING
    if options["classification"]:
        rarest = min(np.unique(y[train], return_counts=True)[1].min() for train, _ in plan.folds)
        smallest = max(smallest, largest * (_SMALLEST_CLASS + 0.5) / rarest)
    sizes = [largest // share for share in (8, 4, 2) if largest // share >= smallest]
    rng = np.random.RandomState(options["random_state"])
    orders = [_shuffled(train, y, options["classification"], rng) for train, _ in plan.folds]
    plans = []
    for size in sizes:
        folds = [(order[:size], test) for order, (_, test) in zip(orders, plan.folds)]
        plans.append(plan._replace(folds=folds))
    return plans + [plan] * whole


def _shuffled(rows, y, classification, rng):
    """Return the rows in random order; those of each class are spread evenly."""
    rows = rng.permutation(rows)
    if not classification:
        return rows
    place = np.empty(len(rows))
    for label in np.unique(y[rows]):
        mine = np.flatnonzero(y[rows] == label)
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    return rows[np.argsort(place, kind="stable")]


def _validate(models, crystals, y, plan, bar):
    """Yield (cv, fold, rows, n_train, results by model) of every fold."""
    for name, (train, test) in zip(plan.names, plan.folds, strict=True):
        results = {}
        for label, model in models.items():
            bar.set_postfix_str(f"{plan.cv} {name}: {label}")
            start = time.perf_counter()
            try:
                fitted = clone(model).fit(crystals[train], y[train])
                results[label] = _predict(fitted, crystals[test], y[test])
            except ValueError as error:
                raise ValueError(
                    f"{label} failed on fold {name} of cv={plan.cv!r} ({len(train)} training "
                    f"rows): {error}"
                ) from error
            results[label]["seconds"] = time.perf_counter() - start
            bar.update()
        yield plan.cv, name, test, len(train), results


def _predict(model, crystals, y):
    """Return the predictions, and intervals, applicability and probabilities if it has them."""
    found = {"predicted": model.predict(crystals)}
    if hasattr(model, "classes_") and hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(crystals)
        classes = model.classes_.tolist()
        found["probability"] = np.array(
            [
                row[classes.index(label)] if label in classes else 0.0
                for row, label in zip(probabilities, y.tolist())
            ]
        )
    if hasattr(model, "predict_interval"):
        found["interval"] = model.predict_interval(crystals, coverage=COVERAGE)
    if hasattr(model, "applicability"):
        found["applicability"] = model.applicability(crystals)
    return found


def _object_array(values):
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):  # a crystal is a tuple: numpy would split it
        array[row] = value
    return array
