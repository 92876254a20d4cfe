"""The paper's tables with the rows of `benchmarks/results`, as one page and figures.

    python benchmarks/tables/leaderboard.py             write docs/leaderboard.md and docs/figures
    python benchmarks/tables/leaderboard.py --rescore   first score recorded predictions of peers on
                                                 the rows of incomplete tables (needs data)

The page depends on the result files alone: run again without new results, it stays as it is.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from figures import draw_all

from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.evaluation import markdown_table, rescore_recorded, same_rows, threshold_scores
from sklearn_cloud.evaluation.comparisons import RECORDED
from sklearn_cloud.evaluation.leaderboard import TABLES, note_of, read_results
from sklearn_cloud.evaluation.markdown import format_score, metric_name, render, shown_name
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, script_provenance

DOCS = Path(__file__).resolve().parents[2] / "docs"
PEERS = {  # files of the MatBench repository, their names in the tables
    "alignn_results.json.gz": ("ALIGNN (recorded)", "Structure-based"),
    "coNGN_results.json.gz": ("coNGN (recorded)", "Structure-based"),
    # not the Finder of Table 1, which is the composition version
    "Finder_structure_results.json.gz": ("Finder, structure version (recorded)", "Structure-based"),
}

INTRODUCTION = """\
# Leaderboard

Scores of this library next to published ones: mean (standard deviation with ddof=0) over the
folds. **Bold** is best and <u>underlined</u> second best among the systems that the paper ranks;
where it ranks only some types, *italics* is best of all. A note in brackets marks a score on part
of the benchmark's rows or folds, or on other rows. Such a score is not ranked, and is not
comparable with the leaderboard.

The column "Source" tells the scores of this library from published ones. "CLOUD (paper)" is the
model of the paper; `cloud-...` are encoders of this library, fine-tuned or trained from scratch,
`crystal-pretrained` is `CrystalRegressor` with its present defaults, `crystal-pretrained-physics`
the same with phonons of a potential, `crystal-fast` has `effort="fast"`, `crystal-physics` both,
`crystal-boosting-graph` only these two members, `crystal-trees-graph` extra-trees and the graph
network with `effort="best"`;
the other `crystal-...` are earlier defaults. They count as feature-based, though most contain
networks. `graph-mini` is `GraphRegressor`. The other names in lower case are baselines
(`sklearn_cloud.baselines`). Published scores are those of the tables of the CLOUD paper and of the
MatBench leaderboard and repository; `sklearn_cloud.evaluation.published_scores` returns each with
its source.

A click on a heading sorts a table.
"""

REMARKS = {
    "matbench": """\
MAE; units: meV/atom (jdft2d), 1/cm (phonons), none (dielectric), log10 GPa (log_gvrh, log_kvrh),
eV per cell (perovskites), eV (mp_gap), eV/atom (mp_e_form). Finder is the composition version of
the MatBench leaderboard.
""",
    "matbench_other": """\
MAE in MPa (steels) and eV (expt_gap). ROC-AUC as matbench 0.6 computes it, of labels instead of
probabilities, which is the balanced accuracy.
""",
    "unconvbench": """\
MAE; units: eV/atom (2d_e_exf), eV (2d_e_tot, 2d_gap, qmof, defected), K (supercon). The paper gives
no standard deviations.
""",
    "matbench_discovery": """\
A crystal is predicted stable up to 0 eV/atom above the hull. MAE and RMSE in eV/atom. In the
paper's table the accuracy of BOWSR does not follow from its rates and its prevalence (0.685
instead of 0.702), and the prevalence behind CLOUD's DAF is 0.166 where that of the others is
0.171: its test set is not quite theirs. A reconstruction has another test set and another hull.
""",
}


MEMBERS = """\
What each member of the ensemble would score on its own on the test rows, and its mean weight over
the folds. A member without a weight is not fitted on all training rows and has no score there.
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of page and figures")
    parser.add_argument("--rescore", action="store_true")
    parser.add_argument("--data-home", type=Path, default=os.environ.get("SKLEARN_CLOUD_DATA"))
    arguments = parser.parse_args()
    if arguments.rescore:
        if arguments.data_home is None:
            parser.error("--rescore needs --data-home or SKLEARN_CLOUD_DATA")
        rescore(arguments.results, Path(arguments.data_home))
    arguments.out.mkdir(parents=True, exist_ok=True)
    figures = draw_all(arguments.results, arguments.out / "figures")
    text = page(arguments.results, [path.name for path in figures])
    (arguments.out / "leaderboard.md").write_text(text, encoding="utf-8")
    print(f"{arguments.out / 'leaderboard.md'} and {len(figures)} figures")


def page(results, figures):
    """The Markdown page."""
    parts = [INTRODUCTION]
    for name, table in TABLES.items():
        parts += [f"## {table.title}\n", REMARKS[name], markdown_table(name, results)]
    parts += ["## Prediction thresholds (Table 7)\n", threshold_table(results)]
    peers = same_rows_table(results)
    if peers:
        parts += ["## Incomplete tables: peers on the same rows and folds\n", peers]
    members = members_table(results)
    if members:
        parts += ["## Members of CrystalRegressor\n", MEMBERS, members]
    parts += ["## Figures\n", *(f"![{name}](figures/{name})\n" for name in figures)]
    parts += ["## Where our scores come from\n", runs_table(results)]
    return "\n".join(parts)


def threshold_table(results):
    scores = threshold_scores(results)
    lines = [
        [f"{threshold:g}", shown_name(model) + (f" [{note}]" if note else "")]
        + [format_score(value, None, 3) for value in row]
        for (threshold, model, note), row in zip(scores.index, scores.to_numpy())
    ]
    return render(["Threshold (eV/atom)", "Model", *map(metric_name, scores.columns)], lines)


def same_rows_table(results):
    frame = same_rows(results)
    lines = [
        [row.task, f"{row.rows:,}", row.folds, shown_name(row.model)]
        + [format_score(row.value, row.std, 4) + (f" [{row.note}]" if row.note else "")]
        for row in frame.itertuples()
    ]
    heads = ["Task", "Rows", "Folds", "Model", "Score (MAE, or balanced accuracy)"]
    return render(heads, lines) if lines else ""


def members_table(results):
    """Mean weights and scores of the members of ensembles, where the result files have them."""
    lines = []
    for result in read_results(results):
        folds = {key: fold["members"] for key, fold in result.folds.items() if "members" in fold}
        for name in dict.fromkeys(name for members in folds.values() for name in members):
            found = {key: members[name] for key, members in folds.items() if name in members}
            scores = [one["scores"] for one in found.values()]
            values = [score["mae" if "mae" in score else "rocauc"] for score in scores]
            weight = sum(one["weight"] for one in found.values()) / len(folds)
            lines.append(
                [result.task, shown_name(result.model), name, f"{weight:.2f}"]
                + [format_score(np.mean(values), np.std(values), 4), ", ".join(found)]
            )
    heads = ["Task", "Ensemble", "Member", "Weight", "Score (MAE, or balanced accuracy)", "Folds"]
    return render(heads, lines) if lines else ""


def runs_table(results):
    lines = []
    for result in read_results(results):
        made = result.provenance
        seconds = sum(f["seconds_fit"] + f["seconds_predict"] for f in result.folds.values())
        lines.append(
            [result.benchmark, result.task, result.model, note_of(result) or "complete"]
            + [f"{seconds:,.0f}", made.get("machine", ""), made.get("date", "")]
            + [f"`{command_today(made.get('command', ''))}`"]
        )
    heads = "Benchmark,Task,Model,Rows and folds,Seconds,Machine,Date,Command".split(",")
    return render(heads, lines)


def command_today(command):
    """The recorded command, with the script where it is now: scripts of tables have moved."""
    script = command.split()[1] if command.startswith("python benchmarks/") else ""
    moved = script.replace("benchmarks/", "benchmarks/tables/")
    return command.replace(script, moved) if (DOCS.parent / moved).is_file() else command


def rescore(results, data_home):
    """Write result files of the peers for each incomplete MatBench table that we have."""
    incomplete = {
        result.task
        for result in read_results(results)
        if result.benchmark == "matbench" and (result.coverage or 0) < 1
    }
    for task in sorted(incomplete):
        table = fetch_matbench(task, data_home=data_home, verbose=1)
        for file, (model, kind) in PEERS.items():
            path = result_path(results, RECORDED, task, model)
            if not path.exists():
                rescore_peer(path, data_home / "leaderboard" / file, table, model, kind)


def rescore_peer(path, file, table, model, kind):
    ids = [table.ids[test].tolist() for _, test in table.folds]
    targets = dict(zip(table.ids.tolist(), table.target.tolist()))
    try:
        scores = rescore_recorded(file, table.task, ids, targets, task_type=table.task_type)
    except (FileNotFoundError, ValueError) as error:
        print(f"{model} is left out on {table.task}: {error}")
        return
    result = open_result(
        path,
        benchmark=RECORDED,
        task=table.task,
        model=model,
        kind=kind,
        rows=len(table.ids),
        coverage=table.coverage,
        configuration={"predictions": file.name},
    )
    for fold, (train, test) in enumerate(table.folds):
        add_fold(
            result,
            fold,
            scores[fold],
            seconds_fit=0,
            seconds_predict=0,
            n_train=len(train),
            n_test=len(test),
        )
    result.provenance = script_provenance()
    write_result(path, result)


if __name__ == "__main__":
    main()
