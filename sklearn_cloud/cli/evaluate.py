"""`sklearn-cloud evaluate`: how accurate a model will be on a table of one's own."""

from pathlib import Path

from .options import (
    add_command,
    add_device_and_seed,
    add_effort,
    add_output,
    add_rows,
    whole_number,
)

DESCRIPTION = """\
Estimate how accurate predictions of new crystals will be, by cross-validation on a table of
crystals and a property: every row is predicted by models that were not fitted on it, next to the
median and a random forest on Magpie statistics of the composition. Writes a folder with report.html
(scores, predicted against true values with intervals, largest errors by name) and report.json (the
same, and every prediction).

    sklearn-cloud evaluate targets.csv --target band_gap --unit eV -o report
    sklearn-cloud evaluate targets.csv --target band_gap --learning-curve -o report
    sklearn-cloud evaluate targets.csv --target band_gap --cv plain composition element -o report
    sklearn-cloud evaluate targets.csv --target band_gap --cv group --groups lab -o report
    sklearn-cloud evaluate targets.csv --target is_metal --classify -o report
    sklearn-cloud evaluate targets.csv --target band_gap --effort fast -o report

How the folds are made decides what the error is about. plain: random folds, for crystals like those
of the table. group: rows with the same value in the column --groups stay together. composition:
crystals of the same elements stay together, for new chemical systems. element, space-group: all
crystals of one element or space group are left out at a time, for those that the model has never
seen; this takes one fit for each (--max-folds limits them).
"""
CVS = ("plain", "group", "composition", "element", "space-group")


def add_parser(commands):
    summary = "estimate the accuracy on a table"
    parser = add_command(commands, "evaluate", run, summary, DESCRIPTION)
    parser.add_argument("table", type=Path, help="table (CSV, JSON, Parquet, Excel, ...)")
    parser.add_argument("--target", required=True, metavar="NAME", help="column to predict")
    parser.add_argument("--classify", action="store_true", help="the target is a class label")
    parser.add_argument("--unit", metavar="TEXT", help="unit of the target, for the report")
    add_output(parser, "folder for the report")
    add_rows(parser)
    parser.add_argument(
        "--model",
        default="crystal",
        metavar="NAME",
        help="name of a model, as for `benchmark` (default: crystal, which is CrystalRegressor or "
        "CrystalClassifier)",
    )
    add_effort(parser)
    parser.add_argument("--parameters", metavar="JSON", help="parameters of the model")
    parser.add_argument(
        "--cv",
        nargs="+",
        choices=CVS,
        default=["plain"],
        metavar="FOLDS",
        help=f"one or several of {', '.join(CVS)} (default: plain)",
    )
    parser.add_argument("--groups", metavar="NAME", help="column of the groups, for --cv group")
    parser.add_argument(
        "--folds", type=whole_number, default=5, metavar="N", help="number of folds (default: 5)"
    )
    parser.add_argument(
        "--max-folds",
        type=whole_number,
        metavar="N",
        help="leave out at most N elements or space groups, chosen at random (default: all)",
    )
    parser.add_argument(
        "--learning-curve",
        action="store_true",
        help="fit on an eighth, a quarter and a half of the rows as well; takes twice the time",
    )
    add_device_and_seed(parser)


def run(arguments):
    from ..crystals.collection import check_data_column
    from ..crystals.table_files import COMMAND_LINE
    from ..evaluation import evaluate_model
    from ..evaluation.report import JSON_FILE
    from ..evaluation.report_text import describe_curve, summary_lines
    from .benchmark import read_json_object
    from .fit import find_bad_targets, read_target
    from .inputs import read_table, read_whole_crystals
    from .messages import UsageError, note, say, show_progress
    from .outputs import check_folder

    check_folder(arguments.output, arguments.overwrite, JSON_FILE)
    check_groups(arguments)
    parameters = read_json_object(arguments.parameters)
    if arguments.effort is not None:
        if arguments.model != "crystal":
            raise UsageError("--effort applies to --model crystal only.")
        parameters = {"effort": arguments.effort, **parameters}
    found = read_table(arguments.table, arguments)
    check_data_column(found, arguments.target, "--target", COMMAND_LINE)
    if arguments.groups is not None:
        check_data_column(found, arguments.groups, "--groups", COMMAND_LINE)
    problems = find_bad_targets(found, arguments) | find_missing_groups(found, arguments)
    crystals, kept = read_whole_crystals(found, arguments, problems)
    report = evaluate_model(
        crystals,
        read_target(kept.frame[arguments.target], arguments.classify),
        model=arguments.model,
        cv=arguments.cv,
        n_folds=arguments.folds,
        groups=None if arguments.groups is None else kept.frame[arguments.groups].tolist(),
        max_folds=arguments.max_folds,
        learning_curve=arguments.learning_curve,
        classification=arguments.classify,
        parameters=parameters,
        ids=kept.ids,
        name=arguments.target,
        unit=arguments.unit,
        random_state=arguments.seed,
        device=arguments.device,
        n_jobs=arguments.jobs,
        verbose=show_progress(arguments),
    )
    report.settings["table"] = arguments.table.name
    report.write(arguments.output)
    for line in summary_lines(report):
        say(line)
    if report.learning_curve is not None:
        say(describe_curve(report))
    if not arguments.quiet:
        note(f"written: {arguments.output / 'report.html'}, {arguments.output / JSON_FILE}")


def check_groups(arguments):
    """Check that --cv group and --groups come together."""
    from .messages import UsageError

    if ("group" in arguments.cv) != (arguments.groups is not None):
        raise UsageError(
            "--cv group needs --groups, the column of the groups."
            if arguments.groups is None
            else "--groups is for --cv group only: add it to --cv, or leave out --groups."
        )


def find_missing_groups(crystals, arguments):
    """Return {name: problem} of rows without a group."""
    if arguments.groups is None:
        return {}
    missing = crystals.frame[arguments.groups].isna().tolist()
    problem = f"its {arguments.groups} is missing"
    return {name: problem for name, one in zip(crystals.names, missing) if one}
