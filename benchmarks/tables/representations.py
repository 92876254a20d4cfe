"""Three ways to write a crystal, pre-trained on the same crystals at the same cost.

    python benchmarks/tables/representations.py --work DIR --crystals 8000 --seconds 60

A random sample of the Materials Project's crystals of up to 20 atoms is written as symmetry
strings with generators (CLOUD), as space-group words (MatInFormer) and as SLICES. An encoder of one
shape is pre-trained on each, on masked tokens alone; the epochs are chosen such that it takes about
the same CPU seconds. Then it is fine-tuned on official folds by the same network with the same
settings, next to one from random weights: MatInFormer is without its descriptors here, which are no
part of the representation. Everything resumes: the result file keeps what is done.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from torch.nn.utils.rnn import pad_sequence

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.baselines import (
    MatInFormerLanguage,
    MatInFormerRegressor,
    SlicesBertRegressor,
    SlicesLanguage,
)
from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.encoder.model import CloudModule
from sklearn_cloud.pretraining import CorpusSource, build_corpus, pretrain
from sklearn_cloud.pretraining.corpus_sources import read_structure_table
from sklearn_cloud.pretraining.language import SymmetryLanguage

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance, write_json

SHAPE = {"n_layers": 2, "n_heads": 4, "width": 128}
MAX_TOKENS = 256
MOST_SITES = 20
TUNING = {"max_epochs": 10, "validation_fraction": 0, "learning_rate": 1e-3, "batch_size": 32}


class WordsRegressor(MatInFormerRegressor):
    """MatInFormer's words alone."""

    def _module(self):
        return CloudModule, {"config": self._config(), "bf16": False}

    def _collate(self, batch):
        rows = [torch.from_numpy(one.token_ids) for one in batch]
        return {"input_ids": pad_sequence(rows, batch_first=True, padding_value=0)}


#: Languages and longest rows: the vocabulary of SLICES depends on the longest.
LANGUAGES = {
    "generators": (SymmetryLanguage(), 128),
    "space-group": (MatInFormerLanguage(), MatInFormerLanguage.max_positions),
    "slices": (SlicesLanguage(MAX_TOKENS), MAX_TOKENS),
}


def regressor(name, encoder, seed):
    """The estimator that reads this language, with this encoder or random weights."""
    common = {**TUNING, "random_state": seed, "device": "cpu"}
    if name == "generators":
        shape = EncoderConfig(**SHAPE) if encoder is None else str(encoder)
        model = CloudRegressor(encoder=shape, precision="fp32", **common)
        return make_pipeline(SymmetryStringTransformer(sites="set"), model)
    kinds = {"space-group": WordsRegressor, "slices": SlicesBertRegressor}
    extra = {"max_tokens": MAX_TOKENS} if name == "slices" else {}
    return kinds[name](encoder=encoder, **SHAPE, **extra, **common)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for corpora and encoders")
    parser.add_argument("--crystals", type=int, default=8000)
    parser.add_argument("--seconds", type=float, default=60, help="CPU, for each pre-training")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--tasks", nargs="+", default=["jdft2d", "phonons"])
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 1, 2])
    arguments = parse_arguments(parser)
    path = RESULTS / "representations.json"
    done = json.loads(path.read_text()) if path.exists() else {}
    result = {**script_provenance(seed=arguments.seed), "shape": SHAPE, "tuning": TUNING}
    result |= {"pretraining": done.get("pretraining", {}), "scores": done.get("scores", {})}
    crystals = sample(arguments)
    encoders = {}
    for name in arguments.languages:
        language, longest = LANGUAGES[name]
        folder = arguments.work / name
        source = CorpusSource("Materials Project 2025.02", crystals, "CC-BY 4.0")
        corpus = build_corpus(
            folder / "corpus", [source], language=language, max_tokens=longest, verbose=1
        )
        encoders[name], facts = train(corpus, folder, longest, arguments)
        if facts:
            result["pretraining"][name] = facts
            write_json("representations", result)
    for task in arguments.tasks:
        table = fetch_matbench(task, data_home=arguments.data_home, download=False)
        for fold in arguments.folds:
            for name, encoder in encoders.items():
                for start, weights in {"random": None, "pre-trained": encoder}.items():
                    key = f"{task}, {name}, {start}"
                    scores = result["scores"].setdefault(key, {})
                    if str(fold) not in scores:
                        model = regressor(name, weights, arguments.seed)
                        scores[str(fold)] = round(score(model, table, fold), 3)
                        print(key, fold, scores[str(fold)], flush=True)
                        write_json("representations", result)


def sample(arguments):
    """Identifiers and crystals, in the order of the table."""
    rows = list(read_structure_table(arguments.data_home / "corpus" / "mp_structures.tsv.xz"))
    rows = [row for row in rows if len(row[1].positions) <= MOST_SITES]
    chosen = np.random.RandomState(arguments.seed).permutation(len(rows))[: arguments.crystals]
    return [rows[place] for place in np.sort(chosen)]


def train(corpus, folder, longest, arguments):
    """Encoder pre-trained for about as many CPU seconds as asked for, and what it cost."""
    config = EncoderConfig(
        **SHAPE, vocabulary_size=len(corpus.language.vocabulary), max_positions=longest
    )
    options = {
        "config": config,
        "batch_size": 64,
        "device_batch_size": 64,
        "learning_rate": 1e-3,
        "device": "cpu",
        "bf16": False,
        "evaluations": 1,
        "save_steps": 100_000,
        "random_state": arguments.seed,
    }
    encoder = folder / "training" / "encoder"
    if encoder.exists():
        return encoder, None
    start = time.process_time()
    pretrain(corpus, folder / "trial", epochs=1, **options)
    one = time.process_time() - start
    epochs = max(1, round(arguments.seconds / one))
    start = time.process_time()
    found = pretrain(corpus, folder / "training", epochs=epochs, **options)
    seconds = time.process_time() - start
    return found["encoder"], {
        "crystals": len(corpus),
        "tokens": int(corpus.lengths.sum()),
        "vocabulary": len(corpus.language.vocabulary),
        "epochs": epochs,
        "cpu_seconds": round(seconds, 1),
        "held_out": found["held_out"],
    }


def score(model, table, fold):
    """Mean absolute error on the test rows of a fold."""
    train, test = table.folds[fold]
    model.fit(table.structures[train], table.target[train])
    return float(np.abs(model.predict(table.structures[test]) - table.target[test]).mean())


if __name__ == "__main__":
    main()
