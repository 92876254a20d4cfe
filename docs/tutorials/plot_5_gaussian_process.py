"""
Embeddings, a Gaussian process, and its uncertainty
===================================================

With few crystals, it can be better not to train the encoder at all. `CloudEmbedder` turns crystals
into fixed vectors, and a Gaussian process on them returns a standard deviation with each
prediction.
"""

# %%
# Vectors of crystals
# -------------------
# Each crystal becomes 128 numbers: the mean over the tokens of its string.
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudEmbedder, SymmetryStringTransformer
from sklearn_cloud.datasets import load_example

example = load_example()
embed = make_pipeline(SymmetryStringTransformer(), CloudEmbedder(pooling="mean"))
vectors = embed.fit_transform(example.structures)
vectors.shape

# %%
# Two principal components already show some order, although the encoder was trained without band
# gaps.
import matplotlib.pyplot as plt
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

plane = make_pipeline(StandardScaler(), PCA(2)).fit_transform(vectors)
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
points = axes.scatter(*plane.T, c=example.target, s=22, cmap="viridis")
figure.colorbar(points, label="band gap (eV)")
axes.set(xlabel="first principal component", ylabel="second principal component")

# %%
# A Gaussian process
# ------------------
# Amplitude and length scale of the kernel are fitted to the training rows by maximum likelihood.
# The noise of the measured gaps is set by hand: `alpha` is its variance, 0.01 of that of the gaps.
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

train, test = train_test_split(range(len(vectors)), test_size=0.3, random_state=0)
kernel = ConstantKernel() * Matern(10, (1, 1e3), nu=1.5)
model = make_pipeline(
    StandardScaler(),
    PCA(60, random_state=0),
    GaussianProcessRegressor(kernel, alpha=0.01, normalize_y=True, random_state=0),
)
model.fit(vectors[train], example.target[train])
predicted, deviation = model.predict(vectors[test], return_std=True)
model[-1].kernel_

# %%
import numpy as np

error = np.abs(predicted - example.target[test])
print(f"mean absolute error {error.mean():.2f} eV")
print(f"within one standard deviation: {np.mean(error < deviation):.0%} (a normal one: 68 %)")
print(f"within two:                    {np.mean(error < 2 * deviation):.0%} (a normal one: 95 %)")

# %%
# The predictions with their error bars:
figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
limits = [-1, 1.05 * example.target.max()]
axes.plot(limits, limits, color="0.6", linewidth=1, zorder=0)
axes.errorbar(
    example.target[test], predicted, yerr=deviation, fmt="o", markersize=4, alpha=0.6, linewidth=1
)
axes.set(
    xlabel="measured band gap (eV)",
    ylabel="predicted (eV)",
    xlim=limits,
    ylim=limits,
    aspect="equal",
)

# %%
# Is the uncertainty useful?
# --------------------------
# It is, if crystals with a small standard deviation have smaller errors.
order = np.argsort(deviation)
thirds = np.array_split(order, 3)
for name, rows in zip(["most certain third", "middle third", "least certain third"], thirds):
    print(f"{name:20} mean absolute error {error[rows].mean():.2f} eV")

# %%
# The most certain third has by far the smallest errors. The standard deviation does not tell the
# other two thirds apart: it finds the safe predictions, but does not order the rest.

# %%
# The crystals with the largest standard deviation would be the next ones to measure:
for row in order[::-1][:5]:
    crystal = example.frame.iloc[test[row]]
    print(f"{crystal['formula']:10} {crystal['prototype']:16} ± {deviation[row]:.1f} eV")

# %%
# For other methods that work with any model, see :doc:`/howto/uncertainty`.
