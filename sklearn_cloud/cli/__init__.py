"""The commands of `sklearn-cloud`, one module each.

A command module has `add_parser`, which describes its arguments, and `run`, which does the work.
Heavy packages are imported in `run` only, so that `--help` is fast.
"""

#: The module of each command, in the order of `--help`.
COMMANDS = {
    "strings": "write_strings",
    "evaluate": "evaluate",
    "fit": "fit",
    "predict": "predict",
    "embed": "embed",
    "pretrain": "pretrain",
    "app": "app",
    "demo": "demo",
    "example": "write_example",
    "benchmark": "benchmark",
    "info": "info",
}
