"""`sklearn-cloud strings`: crystals to symmetry strings."""

from .options import add_command, add_crystals, add_output, add_strings, string_options

DESCRIPTION = """\
Write the symmetry strings of crystals: what the model reads. A string names the space group by its
generators, the occupied Wyckoff positions, and the composition.

    sklearn-cloud strings NaCl.cif                            one crystal, on the screen
    sklearn-cloud strings my_crystals/ -o strings.csv         a folder with its subfolders
    sklearn-cloud strings 'data/*.cif' --sites set -o set.csv as in the paper
    sklearn-cloud strings table.csv -o strings.parquet        a table with CIF text, paths or
                                                              formulas; its other columns stay
"""


def add_parser(commands):
    parser = add_command(commands, "strings", run, "crystals to symmetry strings", DESCRIPTION)
    add_crystals(parser)
    add_output(parser, "table to write", required=False)
    add_strings(parser)


def run(arguments):
    from .crystals import find_crystals, read_strings
    from .messages import note
    from .tables import add_columns, check_output, write_table

    check_output(arguments)
    crystals = find_crystals(arguments, arguments.output)
    strings, crystals = read_strings(crystals, string_options(arguments), arguments)
    table = add_columns(crystals.frame, {"symmetry_string": strings}, crystals.source)
    write_table(table, arguments.output)
    if arguments.output and not arguments.quiet:
        note(f"{len(strings)} strings, {len(set(strings))} different: {arguments.output}")
