"""The commands of the command line, one module each.

A command module has `add_parser`, which describes its arguments, and `run`, which does the work.
Heavy packages are imported in `run` only, so that `--help` answers at once.
"""

#: In the order in which `--help` lists them.
COMMANDS = ("strings", "fit", "predict", "embed", "pretrain", "demo", "benchmark", "info")
