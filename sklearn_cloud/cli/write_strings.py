"""`sklearn-cloud strings`: crystals to symmetry strings."""

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
"""


def add_parser(commands):
    parser = add_command(commands, "strings", run, "crystals to symmetry strings", DESCRIPTION)
    add_crystals(parser)
    add_output(parser, "output table", required=False)
    add_strings(parser)


def run(arguments):
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
