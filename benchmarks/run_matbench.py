"""Scores on MatBench, fold by fold, through fit and predict.

    python benchmarks/run_matbench.py --tasks jdft2d dielectric --name cloud-scratch --encoder none
    python benchmarks/run_matbench.py --tasks jdft2d --name forest --model forest
    python benchmarks/run_matbench.py --tasks jdft2d --name roost --model Roost

Every finished fold is written to `benchmarks/results/`; a run that is started again continues with
the folds that are missing, and refuses to mix results of different configurations.
"""

from common import argument_parser, parse_arguments
from folds import add_arguments, run_folds

from sklearn_cloud.datasets import fetch_matbench, list_matbench


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["jdft2d"], choices=list_matbench())
    add_arguments(parser)
    arguments = parse_arguments(parser)
    for task in arguments.tasks:
        data = fetch_matbench(task, data_home=arguments.data_home, download=False)
        run_folds("matbench", task, data, arguments)


if __name__ == "__main__":
    main()
