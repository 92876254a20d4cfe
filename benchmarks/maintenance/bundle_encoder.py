"""Put a pre-trained encoder into the package, with its model card and checksum.

    python benchmarks/maintenance/bundle_encoder.py --work DIR --name mini

Copies what `pretrain.py` trained to `sklearn_cloud/data/weights/<name>`, writes the model card from
what is stored with the weights, and prints the checksum that belongs into
`sklearn_cloud.encoder.sources.BUNDLED`.
"""

import argparse
import json
import shutil
from pathlib import Path

from sklearn_cloud.files import sha256_of

WEIGHTS = Path(__file__).resolve().parents[2] / "sklearn_cloud" / "data" / "weights"
CARD = """\
# CLOUD encoder "{name}"

A BERT encoder for symmetry strings of crystals: {layers} layers, {heads} heads, {width} wide,
{parameters:,} weights, stored in float16. `CloudRegressor(encoder="{name}")` starts from it.

## Training

Masked language modelling (15 % of the tokens), with heads that predict the geometry of the crystal
from the string (weight {geometry_weight} in the loss; thrown away afterwards). {epochs} epochs over
{rows:,} strings: every crystal written with `sites="set"` and with `sites="orbits"`. AdamW, batch
{batch_size}, highest learning rate {learning_rate}, warm-up {warmup_ratio}, cosine decay, seed
{random_state}. No property of any crystal was used.

    python benchmarks/maintenance/pretrain.py --size {name} --work DIR{arguments}

## Corpus

Of several crystals with the same formula and space group the densest is kept. WBM, the test set of
MatBench Discovery, is left out. The crystals of MatBench are in it, as structures without labels.

| source | crystals read | kept | licence |
|---|---|---|---|
{sources}

## Held out

All strings of {held_out:.0%} of the compositions were kept apart:

| | masked tokens right |
|---|---|
{accuracies}

Cross entropy per masked token: {loss:.3f} nats.

## Limits

It knows a crystal by symmetry and composition. Two crystals that differ in coordinates alone are
one to it; disordered crystals, molecules and amorphous materials were not in the corpus. The
crystals are mostly those of the Materials Project, with its choice of chemistries.
"""


def card(name, config, metadata, parameters):
    plan, held_out = metadata["pretraining"], metadata["held_out"]
    sources = "\n".join(
        f"| {s['name']} | {s['read']:,} | {s['kept']:,} | {s['licence']} |"
        for s in metadata["corpus"]["sources"]
    )
    parts = {
        "all": "accuracy",
        "generator string": "accuracy_generator",
        "sites": "accuracy_sites",
        "composition": "accuracy_composition",
    }
    accuracies = "\n".join(f"| {title} | {held_out[key]:.1%} |" for title, key in parts.items())
    return CARD.format(
        name=name,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        width=config["hidden_size"],
        parameters=parameters,
        sources=sources,
        accuracies=accuracies,
        loss=held_out["loss"],
        arguments=f" --epochs {plan['epochs']} --geometry-weight {plan['geometry_weight']}",
        **{k: plan[k] for k in plan if k not in ("config", "corpus")},
    )


def main():
    from safetensors import safe_open

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    target = WEIGHTS / arguments.name
    shutil.copytree(arguments.work / arguments.name / "encoder", target, dirs_exist_ok=True)
    weights = target / "model.safetensors"
    with safe_open(weights, "numpy") as file:
        parameters = sum(file.get_tensor(key).size for key in file.keys())
    config = json.loads((target / "config.json").read_text())
    metadata = config["sklearn_cloud"]["metadata"]
    (target / "README.md").write_text(card(arguments.name, config, metadata, parameters))
    digest = sha256_of(weights)
    print(
        f"{target}: {weights.stat().st_size / 1e6:.1f} MB\nBUNDLED[{arguments.name!r}] = {digest}"
    )


if __name__ == "__main__":
    main()
