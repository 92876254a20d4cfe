"""
Tuning with Optuna
==================

Learning rate, epochs, dropout and the like can be searched for. This page does it the honest way:
the search sees the training rows alone, and what it finds is scored on rows that it has not seen.
It needs ``pip install 'sklearn-cloud[tuning]'``.
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
# are dictionaries, so take from them what you like. Names begin with the step of the pipeline, and
# other steps can be tuned along. With few trials it is better to search few parameters.
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
# Each trial is cross-validated within the training rows. The first one takes the parameters as
# they are, so the search cannot end worse than it began. This page is built often, so its epochs
# and trials are few. The study is kept in a journal file: start the script again and it goes on,
# start it in several terminals and they share the work.
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
# The trials that were finished. One whose validation curve looks bad is ended early.
import matplotlib.pyplot as plt
from optuna.trial import TrialState

finished = study.get_trials(states=[TrialState.COMPLETE])
numbers, values = [t.number for t in finished], [t.value for t in finished]
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(numbers, values, "o")
axes.step(numbers, [min(values[: i + 1]) for i in range(len(values))], where="post")
axes.set(xlabel="trial", ylabel="mean absolute error (eV)")

# %%
# The honest score
# ----------------
# The best score of a study is too good an estimate, because the parameters were chosen for it. So
# both models are fitted on all training rows and compared on the test rows.
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error

for name, parameters in {"as it was": {}, "tuned": study.best_params}.items():
    fitted = clone(model).set_params(**parameters).fit(train_crystals, train_gaps)
    error = mean_absolute_error(test_gaps, fitted.predict(test_crystals))
    print(f"{name:10} {error:.3f} eV on {len(test_gaps)} test crystals")

# %%
# To score the whole procedure and not one split, repeat it in every fold: an outer loop over
# folds, the search inside on the training rows of the fold. With an Optuna ``OptunaSearchCV``, or
# scikit-learn's ``GridSearchCV``, around the pipeline, `cross_validate` does just that.
# :doc:`/howto/cluster` says how to share a study among machines.
folder.cleanup()
