"""`sklearn-cloud strings`: crystals to symmetry strings."""

import shutil

from .options import add_command, add_crystals, add_output, add_strings, string_options

DESCRIPTION = """\
Write the symmetry strings of crystals, the input of the model. A string describes the generators of
the space group, the occupied Wyckoff positions, and the composition.

    sklearn-cloud strings NaCl.cif                            one crystal, on the screen
    sklearn-cloud strings my_crystals/ -o strings.csv         a folder with its subfolders
    sklearn-cloud strings 'data/*.cif' --sites set -o set.csv as in the paper
    sklearn-cloud strings table.csv -o strings.parquet        a table with CIF text, paths or
                                                              formulas; its other columns stay
    sklearn-cloud strings id_prop.csv --no-header --folder cifs -o strings.csv
                                                              ids, and their files in a folder

--partitions reads a Parquet file (or a folder of them) that is larger than the memory one row group
at a time. The output is then a folder with a file for each row group; the same command resumes an
interrupted run. A crystal that --skip-bad skips keeps its row, without a string.

    sklearn-cloud strings big.parquet --partitions -o strings/
"""


def add_parser(commands):
    parser = add_command(commands, "strings", run, "crystals to symmetry strings", DESCRIPTION)
    add_crystals(parser)
    add_output(parser, "output table", required=False)
    add_strings(parser)
    parser.add_argument(
        "--partitions",
        action="store_true",
        help="read Parquet files one row group at a time, and write a folder of Parquet files",
    )


def run(arguments):
    if arguments.partitions:
        run_partitions(arguments)
        return
    from .inputs import find_crystals, stream_strings
    from .messages import note
    from .table_output import add_columns, check_output, open_table

    check_output(arguments)
    crystals = find_crystals(arguments, arguments.output)
    n_strings, different = 0, set()
    with open_table(arguments.output, crystals.frame) as append:
        for strings, part in stream_strings(crystals, string_options(arguments), arguments):
            append(add_columns(part.frame, {"symmetry_string": strings}, crystals.source))
            n_strings += len(strings)
            different.update(map(hash, strings))
    if arguments.output and not arguments.quiet:
        note(
            f"wrote {n_strings} strings, {len(different)} of them different, to {arguments.output}"
        )


def run_partitions(arguments):
    """Write the strings of Parquet files to a folder, one row group at a time."""
    from .. import SymmetryStringTransformer
    from ..crystals.parquet_files import find_row_groups
    from ..crystals.partitions import find_crystal_column
    from ..crystals.table_files import COMMAND_LINE
    from ..symmetry.string_tables import PLAN, count_strings, write_strings
    from .messages import UsageError, note, show_progress
    from .outputs import check_folder

    if len(arguments.crystals) > 1 or arguments.output is None or arguments.folder:
        raise UsageError("--partitions needs one Parquet file or folder, and --output FOLDER.")
    (source,), folder = arguments.crystals, arguments.output
    column = find_crystal_column(find_row_groups(source)[0], arguments.column, COMMAND_LINE)
    check_folder(folder, True, PLAN)
    if arguments.overwrite and folder.exists():
        shutil.rmtree(folder)
    arguments.when_interrupted = "run the same command again to resume."
    transformer = SymmetryStringTransformer(
        **string_options(arguments), on_error="warn" if arguments.skip_bad else "raise"
    )
    options = {"column": column, "n_jobs": arguments.jobs, "verbose": show_progress(arguments)}
    paths = write_strings(source, folder, transformer, **options)
    if not arguments.quiet:
        n_rows, n_missing = count_strings(paths)
        without = f", {n_missing} crystals have none" if n_missing else ""
        note(f"wrote {n_rows - n_missing} strings in {len(paths)} files to {folder}{without}")
