r"""Look at the training of a baseline without looking at test rows.

    python benchmarks/tables/held_out.py --task phonons --model MEGNet \
        --parameters '{"max_epochs": 240}'

200 rows are held out of the training rows of the first fold, the model is fitted to the others, and
its errors are printed: on the held out rows, and along the epochs on training and validation rows
(none with `"validation_fraction": 0`).
"""

import json
import sys
from pathlib import Path

import numpy as np

from sklearn_cloud.baselines.registry import build_model
from sklearn_cloud.datasets import fetch_matbench

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments
from folds import add_model

HELD_OUT = 200


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--task", default="phonons")
    add_model(parser, required=True)
    arguments = parse_arguments(parser)
    table = fetch_matbench(arguments.task, data_home=arguments.data_home, verbose=1)
    rows = np.random.RandomState(arguments.seed).permutation(table.folds[0][0])
    train, held_out = rows[:-HELD_OUT], rows[-HELD_OUT:]
    model, _ = build_model(
        arguments.model,
        parameters=json.loads(arguments.parameters),
        random_state=arguments.seed,
        device=arguments.device,
        verbose=1,
    )
    model.fit(table.structures[train], table.target[train])
    errors = np.abs(model.predict(table.structures[held_out]) - table.target[held_out])
    curves = {"train_mae": model.loss_curve_, "validation_mae": model.validation_scores_ or []}
    found = {"held_out_mae": round(float(errors.mean()), 3), "best_epoch": model.best_epoch_}
    found |= {
        name: (np.array(curve) * model.target_scale_[0]).round(3).tolist()
        for name, curve in curves.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
