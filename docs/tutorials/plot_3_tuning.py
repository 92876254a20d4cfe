"""
Tuning with Optuna
==================

This page searches for learning rate, batch size and dropout. The search uses only the training
rows, and its result is scored on other rows. It needs ``pip install '.[tuning]'``.
"""

# %%
# Rows for the search, rows for the score
# ---------------------------------------
from sklearn.model_selection import train_test_split

from sklearn_cloud.datasets import load_example

crystals, band_gaps = load_example(return_X_y=True)
train_crystals, test_crystals, train_gaps, test_gaps = train_test_split(
    crystals, band_gaps, test_size=0.3, random_state=0
)

# %%
# The space
# ---------
# `default_space` is a space around the defaults, `paper_space` that of Table 4 of the paper. Both
# are dictionaries, so you can select from them. Names begin with the step of the pipeline, and
# parameters of other steps can be added. With few trials it is better to search few parameters.
from optuna.distributions import CategoricalDistribution

from sklearn_cloud.tuning import default_space

chosen = ("learning_rate", "batch_size", "dropout")
space = {
    name: values
    for name, values in default_space(prefix="cloudregressor__").items()
    if name.endswith(chosen)
}
space["symmetrystringtransformer__sites"] = CategoricalDistribution(["set", "orbits"])
for name, values in space.items():
    print(f"{name:34} {values}")

# %%
# The search
# ----------
# Each trial is cross-validated on the training rows. The first one uses the present parameters, so
# the result cannot be worse on these folds. To build this page fast, epochs and trials are few. The
# study is kept in a journal file: start the script again to resume it, or in several terminals to
# share the work.
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.tuning import tune_pipeline

folder = TemporaryDirectory()
model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(max_epochs=15, random_state=0))
study = tune_pipeline(
    model,
    train_crystals,
    train_gaps,
    space=space,
    n_trials=8,
    cv=2,
    scoring="neg_mean_absolute_error",
    storage=Path(folder.name) / "study.log",
)
print(
    f"as it was: {study.trials[0].value:.3f} eV, best of {len(study.trials)} trials: "
    f"{study.best_value:.3f} eV"
)
for name, value in study.best_params.items():
    print(f"  {name.removeprefix('cloudregressor__'):34} {value}")

# %%
# The completed trials. A trial that is in the worse half after the first fold is pruned.
import matplotlib.pyplot as plt
from optuna.trial import TrialState

finished = study.get_trials(states=[TrialState.COMPLETE])
numbers, values = [t.number for t in finished], [t.value for t in finished]
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(numbers, values, "o")
axes.step(numbers, [min(values[: i + 1]) for i in range(len(values))], where="post")
axes.set(xlabel="trial", ylabel="mean absolute error (eV)")

# %%
# The score on the test rows
# --------------------------
# The best score of a study is too optimistic, because the parameters were chosen for it. So
# both models are fitted on all training rows and compared on the test rows.
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error

for name, parameters in {"as it was": {}, "tuned": study.best_params}.items():
    fitted = clone(model).set_params(**parameters).fit(train_crystals, train_gaps)
    error = mean_absolute_error(test_gaps, fitted.predict(test_crystals))
    print(f"{name:10} {error:.3f} eV on {len(test_gaps)} test crystals")

# %%
# To score the whole procedure and not one split, use nested cross-validation: `cross_validate` with
# Optuna's ``OptunaSearchCV`` or scikit-learn's ``GridSearchCV`` around the pipeline.
# To share a study among machines, see :doc:`/howto/cluster`.
folder.cleanup()
