"""Arguments that several commands share."""

import argparse
from pathlib import Path

PARTS = ("generators", "sites", "composition")
CRYSTALS_HELP = (
    "files (CIF, POSCAR, .vasp, .xsf, extxyz, compressed or not), patterns such as 'data/*.cif', "
    "folders (searched with their subfolders), or one table (CSV, JSON, JSON lines, Parquet, "
    "Excel, an ASE database or trajectory); formulas stand in a table"
)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples, and leaves room for the names of options."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=28, width=100)


def add_command(commands, name, run, summary, description):
    """A subparser that runs a function, with what every command has.

    Parameters
    ----------
    commands : the action that ``ArgumentParser.add_subparsers`` gave
    name : str
    run : callable
        Takes the parsed arguments.
    summary : str
        One line for the list of commands.
    description : str
        With examples.

    Returns
    -------
    argparse.ArgumentParser
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=HelpFormatter,
    )
    parser.set_defaults(run=run, when_interrupted="nothing was written.")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, no summary")
    parser.add_argument("--traceback", action="store_true", help="show where an error comes from")
    return parser


def add_crystals(parser, nargs="+"):
    parser.add_argument("crystals", nargs=nargs, metavar="CRYSTALS", help=CRYSTALS_HELP)
    add_rows(parser)


def add_rows(parser):
    parser.add_argument(
        "--column",
        metavar="NAME",
        help="column of a table with the crystals: CIF text, paths of files (relative to the "
        "table), structures or formulas (default: the first of structure, cif, atoms, file, path, "
        "filename, formula, composition)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="the table names the files in this folder, with or without .cif: in a column id, "
        "material_id, file, ..., or else the first",
    )
    parser.add_argument(
        "--no-header",
        dest="header",
        action="store_false",
        help="the table has no names of columns: they are called 1, 2, ...",
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out what cannot be read, and name it; without this it is an error",
    )
    parser.add_argument(
        "--jobs", type=whole_number, default=1, metavar="N", help="processes that read the crystals"
    )


def add_strings(parser):
    parser.add_argument(
        "--sites",
        choices=["orbits", "set"],
        default="orbits",
        help="name each orbit with its element, or the Wyckoff positions only, as the paper does "
        "(default: orbits)",
    )
    parser.add_argument(
        "--symprec",
        type=positive,
        default=0.1,
        metavar="ANGSTROM",
        help="distance within which sites count as equivalent (default: 0.1)",
    )
    parser.add_argument(
        "--parts",
        type=parts,
        default=PARTS,
        metavar="PART,...",
        help="parts of the string (default: generators,sites,composition)",
    )


def add_training(parser, epochs):
    parser.add_argument(
        "--encoder",
        default="mini",
        metavar="NAME",
        help="what training starts from: 'mini' or 'small' (in the package), a folder that "
        "`pretrain` wrote, 'organisation/name' on the Hugging Face hub, or 'none' for random "
        "weights (default: mini)",
    )
    parser.add_argument(
        "--epochs", type=whole_number, default=epochs, help=f"passes over the rows ({epochs})"
    )
    add_device_and_seed(parser)


def add_device_and_seed(parser):
    add_device(parser)
    parser.add_argument("--seed", type=int, default=0, help="same seed, same result (default: 0)")


def add_device(parser):
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")


def add_output(parser, what, required=True):
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=required,
        metavar="PATH",
        help=f"{what}" if required else f"{what} (default: CSV on standard output)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace it if it is there")


def encoder_argument(text):
    """What `encoder=` of an estimator takes."""
    return None if text == "none" else text


def whole_number(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return number


def positive(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def parts(text):
    chosen = tuple(part.strip() for part in text.split(","))
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(PARTS)}")
    return chosen


def string_options(arguments):
    """The parameters of `SymmetryStringTransformer` that were asked for."""
    return {"parts": arguments.parts, "sites": arguments.sites, "symprec": arguments.symprec}
