"""`sklearn-cloud example`: a folder of crystal files and their table, to try the other commands."""

from .options import add_command, add_output, whole_number

DESCRIPTION = """\
Write the example crystals of the package as CIF files, with a table of their measured band gaps
(eV): a folder of the form that `fit`, `evaluate` and `sklearn_cloud.datasets.read_crystals` read.

    sklearn-cloud example -o my_crystals
    sklearn-cloud example -o my_crystals --rows 100
    sklearn-cloud evaluate my_crystals/targets.csv --target band_gap --unit eV -o report
"""
TABLE = "targets.csv"


def add_parser(commands):
    summary = "write example crystals and their table"
    parser = add_command(commands, "example", run, summary, DESCRIPTION)
    add_output(parser, "folder for the files")
    parser.add_argument(
        "--rows", type=whole_number, metavar="N", help="number of crystals (default: all 302)"
    )


def run(arguments):
    import numpy as np

    from ..datasets import load_example
    from ..files import atomic_write
    from .messages import note
    from .outputs import check_folder

    check_folder(arguments.output, arguments.overwrite, TABLE)
    data = load_example()
    # the table of the package is sorted by structure type
    rows = np.random.RandomState(0).permutation(len(data.target))[: arguments.rows]
    frame = data.frame.iloc[rows][["formula", "band_gap"]].reset_index(drop=True)
    names = [f"{number:03}_{formula}.cif" for number, formula in enumerate(frame["formula"], 1)]
    frame.insert(0, "file", names)
    for name, row in zip(names, rows, strict=True):
        with atomic_write(arguments.output / name) as temporary:
            temporary.write_text(data.structures[row].to(fmt="cif"), encoding="utf-8")
    with atomic_write(arguments.output / TABLE) as temporary:
        frame.to_csv(temporary, index=False)
    if not arguments.quiet:
        note(f"written: {len(rows)} CIF files and {arguments.output / TABLE}")
