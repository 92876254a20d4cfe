"""
Start from a predictor of a related property
============================================

The ready-made predictors that contain a network can lend it: its encoder has been fine-tuned on a
large table, and can be the start for a small table of your own. This page measures what that saves
against the generic encoder of the package, which has seen crystals but no property.
"""

# %%
# Your table
# ----------
# Here, measured band gaps of the example crystals take the place of your table. The predictor is
# that of the highest phonon frequency. Both quantities are large for strong bonds of light atoms.
from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.datasets import load_example

crystals, band_gaps = load_example(return_X_y=True)
strings = SymmetryStringTransformer().fit_transform(crystals)

# %%
# The encoders
# ------------
# `save_encoder` writes the encoder of a predictor as a folder, which any estimator takes as
# `encoder=`.
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn_cloud.predictors import load_predictor

workspace = TemporaryDirectory()
folder = Path(workspace.name)
encoders = {"generic": "mini"}
for name in ("highest_phonon_peak", "exfoliation_energy"):
    encoders[name] = load_predictor(name).save_encoder(folder / name)

# %%
# Fixed vectors
# -------------
# The quickest comparison does not train the encoders: ridge regression on their vectors, with more
# and more training crystals. The mean over ten random splits, tested on the crystals left out.
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cloud import CloudEmbedder

sizes = [15, 30, 60, 120, 240]
errors = {}
for name, encoder in encoders.items():
    vectors = CloudEmbedder(encoder, pooling="mean").fit_transform(strings)
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 4, 9)))
    errors[name] = [
        -cross_val_score(
            model,
            vectors,
            band_gaps,
            cv=ShuffleSplit(10, train_size=size, test_size=60, random_state=0),
            scoring="neg_mean_absolute_error",
        ).mean()
        for size in sizes
    ]
    print(f"{name:20}", *(f"{error:.2f}" for error in errors[name]), "eV")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
for name, values in errors.items():
    axes.plot(sizes, values, "o-", label=name)
axes.set(xscale="log", xlabel="training crystals", ylabel="mean absolute error (eV)")
axes.set_xticks(sizes, sizes)
axes.legend(frameon=False)

# %%
# Fine-tuning
# -----------
# The encoder is trained further on 60 of the crystals. The error on 60 others after each epoch
# shows how long the training has to be.
from sklearn.model_selection import train_test_split

from sklearn_cloud import CloudRegressor

train, test = train_test_split(
    np.arange(len(strings)), train_size=120, test_size=60, random_state=0
)
figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
for name in ("generic", "highest_phonon_peak"):
    model = CloudRegressor(encoders[name], max_epochs=20, random_state=0)
    model.fit(strings[train], band_gaps[train])
    error = np.abs(model.predict(strings[test]) - band_gaps[test]).mean()
    print(f"{name:20} {error:.2f} eV, best epoch {model.best_epoch_}")
    axes.plot(range(1, len(model.validation_scores_) + 1), model.validation_scores_, label=name)
axes.set(xlabel="epoch", ylabel="score on held-out rows")
axes.legend(frameon=False)
workspace.cleanup()
