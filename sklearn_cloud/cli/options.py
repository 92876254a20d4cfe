"""Arguments shared by several commands."""

import argparse
from pathlib import Path

PARTS = ("generators", "sites", "composition")
MOST_JOBS = 1000
CRYSTALS_HELP = (
    "files (CIF, POSCAR, .vasp, .xsf, extxyz, compressed or not), patterns such as 'data/*.cif', "
    "folders (searched with their subfolders), or one table (CSV, JSON, JSON lines, Parquet, "
    "Excel, an ASE database or trajectory); formulas go in a table"
)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Formatter that keeps the lines of examples and leaves room for the options."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=28, width=100)


def add_command(commands, name, run, summary, description):
    """Add a command with the options that all commands have.

    Parameters
    ----------
    commands : result of ``ArgumentParser.add_subparsers``
    name : str
    run : callable
        Takes the parsed arguments.
    summary : str
        One line for the list of commands.
    description : str
        Text of ``--help``, with examples.

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
    parser.add_argument("--quiet", action="store_true", help="show no progress bars and no summary")
    parser.add_argument("--traceback", action="store_true", help="show the traceback of an error")
    return parser


def add_crystals(parser, nargs="+"):
    parser.add_argument("crystals", nargs=nargs, metavar="CRYSTALS", help=CRYSTALS_HELP)
    add_rows(parser)


def add_rows(parser):
    parser.add_argument(
        "--column",
        metavar="NAME",
        help="column with the crystals: CIF text, paths of files (relative to the "
        "table), structures or formulas (default: the first of structure, cif, atoms, file, path, "
        "filename, formula, composition)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="folder of the files that the table names, with or without .cif, in a column id, "
        "material_id, file, ..., or else in its first column",
    )
    parser.add_argument(
        "--no-header",
        dest="header",
        action="store_false",
        help="the table has no header: its columns are called 1, 2, ...",
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="skip and list crystals that cannot be read (default: raise an error)",
    )
    parser.add_argument(
        "--jobs",
        type=few,
        default=1,
        metavar="N",
        help="number of processes that read crystals",
    )


def add_strings(parser):
    parser.add_argument(
        "--sites",
        choices=["orbits", "set"],
        default="orbits",
        help="each orbit with its element, or only the set of Wyckoff positions, as in the paper "
        "(default: orbits)",
    )
    parser.add_argument(
        "--symprec",
        type=positive,
        default=0.1,
        metavar="ANGSTROM",
        help="distance in angstrom within which sites are equivalent (default: 0.1)",
    )
    parser.add_argument(
        "--parts",
        type=parts,
        default=PARTS,
        metavar="PART,...",
        help="parts of the string (default: generators,sites,composition)",
    )


def add_training(group, parser, epochs):
    """Add encoder and epochs to a group of options, device and seed to the parser."""
    group.add_argument(
        "--encoder",
        default="mini",
        metavar="NAME",
        help="pre-trained encoder: 'mini' or 'small' (part of the package), a folder written by "
        "`pretrain`, 'organisation/name' on the Hugging Face Hub, or 'none' for random weights "
        "(default: mini)",
    )
    group.add_argument(
        "--epochs", type=whole_number, default=epochs, help=f"number of epochs (default: {epochs})"
    )
    add_device_and_seed(parser)


def add_device_and_seed(parser):
    add_device(parser)
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")


def add_device(parser):
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if available)")


def add_effort(parser):
    parser.add_argument(
        "--effort",
        choices=["fast", "default", "best"],
        help="of --model crystal: fast leaves out the networks, best has more members and trains "
        "longer (default: default)",
    )


def add_output(parser, what, required=True):
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=required,
        metavar="PATH",
        help=f"{what}" if required else f"{what} (default: CSV on standard output)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace existing output")


def encoder_argument(text):
    """Convert the text to a value for `encoder=` of an estimator."""
    return None if text == "none" else text


def whole_number(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive integer")
    return number


def few(text):
    number = whole_number(text)
    if number > MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text} is more than {MOST_JOBS}")
    return number


def positive(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def parts(text):
    chosen = tuple(part.strip() for part in text.split(","))
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(PARTS)}")
    return chosen


def string_options(arguments):
    """Return the parameters of `SymmetryStringTransformer` given on the command line."""
    return {"parts": arguments.parts, "sites": arguments.sites, "symprec": arguments.symprec}
