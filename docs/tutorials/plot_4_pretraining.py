"""
Pre-train an encoder on your own crystals
=========================================

The encoder in the package was pre-trained on 172,356 crystals from two sources, duplicates removed.
If yours are of another kind, or if you have many structures and few measured values, pre-train an
encoder of your own. It learns to predict masked symbols of symmetry strings, so no property is
needed. This page shows the steps on a small example.
"""

# %%
# A folder of CIF files
# ---------------------
# Here the example crystals are used.
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn_cloud.datasets import load_example

workspace = TemporaryDirectory()
folder = Path(workspace.name)
(folder / "cifs").mkdir()
crystals, band_gaps = load_example(return_X_y=True)
for number, crystal in enumerate(crystals):
    crystal.to(filename=str(folder / "cifs" / f"{number:03d}.cif"))

# %%
# The corpus
# ----------
# `build_corpus` finds the symmetry of each crystal, keeps one of several with the same formula and
# space group, and writes token ids to a folder. After an interruption it resumes.
from sklearn_cloud.pretraining import CorpusSource, build_corpus

source = CorpusSource("my crystals", folder / "cifs", licence="CC-BY 4.0")
corpus = build_corpus(folder / "corpus", [source], sites="orbits")
print(f"{len(corpus)} of {len(crystals)} crystals, {corpus.lengths.mean():.0f} tokens on average")

# %%
# The training
# ------------
# An encoder of two layers, 15 % of the symbols masked, a tenth of the compositions held out.
# `pretrain` writes checkpoints and resumes from the last one if it is called again.
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.pretraining import pretrain

result = pretrain(
    corpus,
    folder / "training",
    config=EncoderConfig(n_layers=2, n_heads=4, width=64),
    epochs=60,
    batch_size=64,
    device_batch_size=64,
    learning_rate=2e-3,
    held_out=0.1,
)

# %%
# The scores on held-out compositions:
import matplotlib.pyplot as plt

training = [(entry["epoch"], entry["loss"]) for entry in result["history"] if "loss" in entry]
held_out = [
    (entry["epoch"], entry["eval_loss"]) for entry in result["history"] if "eval_loss" in entry
]
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.plot(*zip(*training), label="training")
axes.plot(*zip(*held_out), "o-", label="held out")
axes.set(xlabel="epoch", ylabel="cross-entropy of masked tokens")
axes.legend(frameon=False)

for name, score in result["held_out"].items():
    print(f"{name:28} {score:.3f}")

# %%
# Use it
# ------
# Pass the folder `result["encoder"]` as `encoder=` to an estimator.
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cloud import CloudEmbedder, SymmetryStringTransformer

strings = SymmetryStringTransformer().fit_transform(crystals)
folds = KFold(5, shuffle=True, random_state=0)
encoders = {
    "random weights": EncoderConfig(n_layers=2, n_heads=4, width=64),
    "pre-trained here": result["encoder"],
    "pre-trained, in the package": "mini",
}
for name, encoder in encoders.items():
    model = make_pipeline(
        CloudEmbedder(encoder, pooling="mean"), StandardScaler(), RidgeCV([1, 10, 100, 1000])
    )
    scores = -cross_val_score(
        model, strings, band_gaps, cv=folds, scoring="neg_mean_absolute_error"
    )
    print(f"{name:28} {scores.mean():.2f} eV")

# %%
# The comparison uses ridge regression on fixed vectors. A few hundred crystals are far too few for
# pre-training, so these scores are only an illustration.
# :doc:`/guide/pretraining` has the settings and scores of the encoder in the package.
workspace.cleanup()
