"""Tables of the paper as data frames: published scores next to those of result files."""

from importlib import resources
from pathlib import Path
from typing import NamedTuple

from .metrics import STABILITY_SCORES
from .result_checks import KINDS
from .results import read_result

COLUMNS = "benchmark task model kind metric value std source note".split()
_LOWER_IS_BETTER = {"mae", "rmse", "mape", "max_error"}


class Table(NamedTuple):
    """A table of the paper, or a similar one.

    Attributes
    ----------
    title : str
        Heading.
    columns : tuple of (str, str)
        Task and metric of each column.
    decimals : int
        Decimals shown.
    ranked_kinds : tuple of str or None
        Kinds of models among which best and second best are marked; None means all.
    sorted_by : str or None
        Metric to sort the models by, best first; None sorts them by kind.
    """

    title: str
    columns: tuple
    decimals: int
    ranked_kinds: tuple | None = None
    sorted_by: str | None = None


_PAPER_TASKS = "jdft2d phonons dielectric log_gvrh log_kvrh perovskites mp_gap mp_e_form".split()
_UNCONVENTIONAL = "2d_e_exf 2d_e_tot 2d_gap qmof supercon defected".split()
_OTHER_TASKS = (
    ("steels", "mae"),
    ("expt_gap", "mae"),
    ("expt_is_metal", "rocauc"),
    ("glass", "rocauc"),
    ("mp_is_metal", "rocauc"),
)
_NO_COORDINATES = ("Structure-agnostic", "Coordinate-free")
TABLES = {
    "matbench": Table(
        "MatBench regression tasks with structures (Table 1)",
        tuple((task, "mae") for task in _PAPER_TASKS),
        decimals=4,
        ranked_kinds=_NO_COORDINATES,
    ),
    "matbench_other": Table(
        "The other MatBench tasks", _OTHER_TASKS, decimals=4, ranked_kinds=_NO_COORDINATES
    ),
    "unconvbench": Table(
        "UnconvBench (Table 2)", tuple((task, "mae") for task in _UNCONVENTIONAL), decimals=4
    ),
    "matbench_discovery": Table(
        "Matbench Discovery (Table 6)",
        tuple(("wbm", metric) for metric in STABILITY_SCORES),
        decimals=3,
        sorted_by="f1",
    ),
}


def published_scores():
    """Return published scores of the systems in the paper and of the MatBench leaderboard.

    Returns
    -------
    pandas.DataFrame
        Columns benchmark, task, model, kind (category of the paper), metric, value, std (over
        the folds; NaN if not published), source, note (empty).

    Notes
    -----
    The Finder of the paper's Table 1 is the composition version of the MatBench leaderboard.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import published_scores
    >>> scores = published_scores()
    >>> scores.loc[(scores["task"] == "jdft2d") & (scores["model"] == "CLOUD"), "value"].tolist()
    [35.0057]
    """
    import pandas as pd

    with resources.files("sklearn_cloud").joinpath("data/published_scores.csv").open() as file:
        frame = pd.read_csv(file)
    frame["metric"] = frame["metric"].str.lower()
    return frame.assign(note="")[COLUMNS]


def result_scores(folder):
    """Return the scores of all result files in a folder, in the form of `published_scores`.

    Parameters
    ----------
    folder : str or path-like
        Folder with result files, such as ``benchmarks/results``. Files of other scripts, without
        a schema, are ignored.

    Returns
    -------
    pandas.DataFrame
        ``note`` lists the missing rows or folds, compared with a published score.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.evaluation import result_scores
    >>> from sklearn_cloud.evaluation.results import add_fold, open_result, write_result
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "matbench_jdft2d_mine.json"
    ...     result = open_result(
    ...         path, benchmark="matbench", task="jdft2d", model="mine", rows=636, configuration={}
    ...     )
    ...     seconds = {"seconds_fit": 30.0, "seconds_predict": 0.1}
    ...     add_fold(result, 0, {"mae": 35.0}, n_train=508, n_test=128, **seconds)
    ...     write_result(path, result)
    ...     scores = result_scores(folder)
    >>> scores[["model", "value", "note"]].values.tolist()
    [['mine', 35.0, 'fold 0 only']]
    """
    import pandas as pd

    rows = []
    for result in read_results(folder):
        rows += _rows_of(result)
    return pd.DataFrame(rows, columns=COLUMNS)


def read_results(folder):
    """Read and check all result files in a folder, by file name."""
    import json

    results = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            content = {"schema": None}  # read_result raises the error
        if isinstance(content, dict) and "schema" in content:
            results.append(read_result(path))
    return [result for result in results if result.folds]


def leaderboard(benchmark="matbench", results=None):
    """Return a table of the paper, with your own results if their folder is given.

    Parameters
    ----------
    benchmark : {"matbench", "matbench_other", "unconvbench", "matbench_discovery"}
        Which table: Table 1, the five other MatBench tasks, Table 2, Table 6 of the paper.
    results : str or path-like, default=None
        Folder of result files, such as ``benchmarks/results``; None gives the published scores
        only.

    Returns
    -------
    pandas.DataFrame
        Scores, with kind and model as index and one column per task (per metric in
        ``"matbench_discovery"``); NaN if a system has none. Scores on part of the rows or folds
        are only in `scores_in_table`, with a note.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import leaderboard
    >>> table = leaderboard("matbench")
    >>> table.loc["Coordinate-free", "jdft2d"].idxmin()
    'CLOUD'
    """
    table = _table(benchmark)
    long = scores_in_table(benchmark, results)
    long = long[long["note"] == ""]
    wide = long.pivot(index=["kind", "model"], columns=["task", "metric"], values="value")
    order = long[["kind", "model"]].drop_duplicates().apply(tuple, axis=1).tolist()
    wide = wide.reindex(index=order, columns=list(table.columns))
    wide.index.names = ["kind", "model"]
    tasks = [task for task, _ in table.columns]
    wide.columns = tasks if len(set(tasks)) == len(tasks) else [m for _, m in table.columns]
    return wide


def scores_in_table(benchmark, results=None):
    """Return the scores of a table, one per row, in the order of the table.

    Parameters
    ----------
    benchmark, results
        As in `leaderboard`.

    Returns
    -------
    pandas.DataFrame
        With the columns of `published_scores`.

    Raises
    ------
    ValueError
        If the table is unknown, or two result files have a score of the same model and task.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import scores_in_table
    >>> scores = scores_in_table("matbench")
    >>> best = scores[scores["task"] == "jdft2d"].nsmallest(1, "value")
    >>> best[["model", "value"]].values.tolist()
    [['MODNet v0.1.12', 33.192]]
    """
    import pandas as pd

    table = _table(benchmark)
    frame = published_scores()
    if results is not None:
        own = result_scores(results)
        frame = pd.concat([frame, own], ignore_index=True) if len(own) else frame
    wanted = frame[["task", "metric"]].apply(tuple, axis=1).isin(table.columns)
    name = benchmark.removesuffix("_other")
    frame = frame[(frame["benchmark"] == name) & wanted]
    _check_single(frame)
    if table.sorted_by:
        leading = frame[frame["metric"] == table.sorted_by].set_index("model")["value"]
        place = -frame["model"].map(leading)
    else:
        place = frame["kind"].map(KINDS.index)
    return frame.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def lower_is_better(metric):
    """Whether lower scores are better."""
    return metric in _LOWER_IS_BETTER


def _table(benchmark):
    if benchmark not in TABLES:
        raise ValueError(f"unknown table {benchmark!r}; the tables are {', '.join(TABLES)}")
    return TABLES[benchmark]


def _rows_of(result):
    common = {key: getattr(result, key) for key in ("benchmark", "task", "model", "kind")}
    common |= {"source": result.provenance.get("command", ""), "note": note_of(result)}
    several = len(result.folds) > 1
    for metric, value in result.summary.items():
        std = value["std"] if several else float("nan")
        yield {**common, "metric": metric, "value": value["mean"], "std": std}
    for threshold, scores in result.details.get("thresholds", {}).items():
        task = f"{result.task}, threshold {float(threshold)} eV/atom"
        for metric, value in scores.items():
            yield {**common, "task": task, "metric": metric, "value": value, "std": float("nan")}


def note_of(result):
    """Return the differences from the benchmark: missing rows, missing folds, other rows."""
    notes = []
    if result.coverage is None:
        notes.append(f"reconstruction, {result.rows:,} rows")
    elif result.coverage < 1:
        # truncated, not rounded: 99.96 % is not 100 %
        notes.append(f"{int(result.coverage * 1000) / 10} % of rows")
    done = list(result.folds)
    if len(done) < result.n_folds:
        notes.append(f"fold{'s' if len(done) > 1 else ''} {', '.join(done)} only")
    return "; ".join(notes)


def _check_single(frame):
    double = frame[frame.duplicated(["task", "metric", "model"], keep=False)]
    if len(double):
        first = double.iloc[0]
        raise ValueError(
            f"{first['model']} has more than one {first['metric']} of {first['task']}, from "
            f"{' and '.join(sorted(set(double['source'])))}: use different model names"
        )
