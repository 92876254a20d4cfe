"""
Three lines on the example crystals
===================================

A model that predicts a property of crystals takes three lines: a transformer that turns crystals
into strings, a regressor that reads the strings, and `fit`. The package has 302 crystals with
measured band gaps as an example.
"""

# %%
# The data
# --------
# `load_example` returns pymatgen structures and band gaps in eV. Some are kept for the test.
from sklearn.model_selection import train_test_split

from sklearn_cloud.datasets import load_example

crystals, band_gaps = load_example(return_X_y=True)
train_crystals, test_crystals, train_gaps, test_gaps = train_test_split(
    crystals, band_gaps, test_size=0.2, random_state=0
)
len(train_crystals), len(test_crystals)

# %%
# The model
# ---------
# These are the three lines. `CloudRegressor` starts from the pre-trained encoder in the package
# and fine-tunes it; the defaults are those of the measurements.
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer

model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(random_state=0))
model.fit(train_crystals, train_gaps)
predictions = model.predict(test_crystals)

# %%
# How good is it?
# ---------------
# The mean absolute error on crystals that the model has not seen, next to that of the best
# constant guess:
import numpy as np
from sklearn.metrics import mean_absolute_error

print(f"CLOUD:           {mean_absolute_error(test_gaps, predictions):.2f} eV")
print(f"median as guess: {np.abs(test_gaps - np.median(train_gaps)).mean():.2f} eV")

# %%
# With so few crystals, the score depends on the split;
# :ref:`the next tutorial <sphx_glr_auto_tutorials_plot_2_cross_validation.py>` averages over folds.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
limits = [0, 1.05 * band_gaps.max()]
axes.plot(limits, limits, color="0.6", linewidth=1)
axes.scatter(test_gaps, predictions, s=18, alpha=0.8)
axes.set(
    xlabel="measured band gap (eV)",
    ylabel="predicted (eV)",
    xlim=limits,
    ylim=limits,
    aspect="equal",
)

# %%
# What the training did
# ---------------------
# A tenth of the training crystals is set aside to choose the best epoch. Both curves are mean
# absolute errors in units of the standard deviation of the target.
regressor = model[-1]
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
epochs = range(1, regressor.n_iter_ + 1)
axes.plot(epochs, regressor.loss_curve_, label="training")
axes.plot(epochs, regressor.validation_scores_, label="validation")
axes.axvline(regressor.best_epoch_, color="0.6", linewidth=1, label="epoch that is kept")
axes.set(xlabel="epoch", ylabel="scaled mean absolute error")
axes.legend(frameon=False)

# %%
# Other crystals
# --------------
# A `Structure`, an ase `Atoms`, CIF text and the path of a CIF file are predicted in the same way.
# Here is a hypothetical one, tin on the titanium sites of strontium titanate:
from pymatgen.core import Lattice, Structure

perovskite = Structure(
    Lattice.cubic(4.03),
    ["Sr", "Sn", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
)
print(f"predicted band gap: {model.predict([perovskite])[0]:.1f} eV")
