"""
Folds and baselines with cross_validate
=======================================

A score is meaningful in comparison with a simple model on the same folds. Because everything is a
scikit-learn estimator, `cross_validate` works for all of them.
"""

# %%
# The folds
# ---------
# Three folds of the example crystals, to build this page fast. A MatBench task has its five
# official folds; nothing else would change::
#
#     from sklearn_cloud.datasets import fetch_matbench
#
#     task = fetch_matbench("jdft2d")
#     crystals, target, folds = task.structures, task.target, task.folds
from sklearn.model_selection import KFold

from sklearn_cloud.datasets import load_example

crystals, target = load_example(return_X_y=True)
folds = list(KFold(3, shuffle=True, random_state=0).split(crystals))

# %%
# The models
# ----------
# The first baseline ignores the crystal, the second reads only its composition.
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.features import ElementFractions

models = {
    "median": make_pipeline(ElementFractions(), DummyRegressor(strategy="median")),
    "random forest on composition": make_pipeline(
        ElementFractions(), RandomForestRegressor(100, random_state=0)
    ),
    "CLOUD, from scratch": make_pipeline(
        SymmetryStringTransformer(), CloudRegressor(None, max_epochs=20, random_state=0)
    ),
    "CLOUD, pre-trained": make_pipeline(
        SymmetryStringTransformer(), CloudRegressor(max_epochs=20, random_state=0)
    ),
}

# %%
# The scores
# ----------
# Transformer and regressor are fitted in every fold, only on its training rows.
import pandas as pd
from sklearn.model_selection import cross_validate

scores = {
    name: -cross_validate(model, crystals, target, cv=folds, scoring="neg_mean_absolute_error")[
        "test_score"
    ]
    for name, model in models.items()
}
table = pd.DataFrame(scores, index=[f"fold {i}" for i in range(3)]).T
table["mean"] = table.mean(axis=1)
table.round(2)

# %%
# As a picture: one point per fold, a line at the mean.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6.5, 2.8), layout="constrained")
for row, name in enumerate(scores):
    axes.plot(scores[name], [row] * 3, "o", alpha=0.7, color=f"C{row}")
    axes.plot(scores[name].mean(), row, "|", markersize=24, color=f"C{row}")
axes.set(xlabel="mean absolute error (eV)", yticks=range(len(scores)), xlim=(0, None))
axes.set_yticklabels(scores)
axes.invert_yaxis()

# %%
# With 20 instead of 50 epochs and 201 training crystals this is a sketch. Differences smaller than
# the spread of the folds are not significant, and the example crystals belong to families, so a
# random split mostly tests interpolation. The scores on MatBench are in :doc:`/measurements`.
