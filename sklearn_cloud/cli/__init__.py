"""The commands of the command line, one module each.

A command module has `add_parser`, which describes its arguments, and `run`, which does the work.
Heavy packages are imported in `run` only, so that `--help` answers at once.
"""

#: The module of each command, in the order in which `--help` lists them.
COMMANDS = {
    "strings": "write_strings",
    "fit": "fit",
    "predict": "predict",
    "embed": "embed",
    "pretrain": "pretrain",
    "demo": "demo",
    "benchmark": "benchmark",
    "info": "info",
}
