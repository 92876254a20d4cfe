"""Scores on UnconvBench (Table 3 of the paper), fold by fold, through fit and predict.

    python benchmarks/tables/unconventional.py --tasks supercon defected --name cloud --encoder mini
    python benchmarks/tables/unconventional.py --tasks 2d_gap --name roost --model Roost

Folds by UnconvBench's rule, `KFold(5, shuffle=True, random_state=42)`. Its own files are used
where they are in the data folder; `supercon` and `defected` are put together from their sources
otherwise, and the result file says so (`coverage` is null). A run that is started again goes on
with the folds that are missing.
"""

import sys
from pathlib import Path

from sklearn_cloud.datasets import fetch_unconventional

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments
from folds import add_arguments, run_folds

TASKS = ["2d_e_exf", "2d_e_tot", "2d_gap", "qmof", "supercon", "defected"]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["supercon", "defected"], choices=TASKS)
    add_arguments(parser)
    arguments = parse_arguments(parser)
    for task in arguments.tasks:
        data = fetch_unconventional(task, data_home=arguments.data_home, verbose=1)
        run_folds("unconvbench", task, data, arguments)


if __name__ == "__main__":
    main()
