"""Tokens per second of the pre-training, against a plain loop that pads to 64.

    OMP_NUM_THREADS=1 python benchmarks/speed/pretraining_speed.py

The plain loop is what one writes first: transformers' BertForMaskedLM in float32, every string
padded to 64 tokens, the vocabulary scored at every position, AdamW. Both mask 15 % of the tokens
and train one epoch on the same crystals in batches of 256; only tokens that are not padding count.
The time of `pretrain` includes its start and its checkpoint. Needs `corpus/mp_structures.tsv.xz`
in the data folder.
"""

import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM

from sklearn_cloud.encoder import ENCODER_SIZES
from sklearn_cloud.encoder.config import PAD_ID
from sklearn_cloud.encoder.tokenizer import SymmetryTokenizer
from sklearn_cloud.pretraining import pretrain
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.pretraining.corpus_sources import read_structure_table

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, parse_arguments, script_provenance, write_json

BATCH_SIZE = 256
PADDED_LENGTH = 64
LEARNING_RATE = 1e-4


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--crystals", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", default=["mini", "small"], choices=ENCODER_SIZES)
    arguments = parse_arguments(parser)
    table = arguments.data_home / "corpus" / "mp_structures.tsv.xz"
    with tempfile.TemporaryDirectory() as folder:
        crystals = itertools.islice(read_structure_table(table), arguments.crystals)
        corpus = build_corpus(Path(folder) / "corpus", [CorpusSource("crystals", crystals)])
        result = {
            **script_provenance(seed=arguments.seed),
            "strings": len(corpus),
            "tokens": int(corpus.lengths.sum()),
            "batch_size": BATCH_SIZE,
            "threads": torch.get_num_threads(),
            "sizes": {
                size: measure(size, corpus, Path(folder), arguments) for size in arguments.sizes
            },
        }
    print_table(result)
    print(f"written to {write_json('speed_of_pretraining', result)}")


def measure(size, corpus, folder, arguments):
    ways = {
        "plain_fp32": lambda run: plain_loop(size, corpus, arguments.seed),
        "cloud_fp32": lambda run: pretrain_seconds(size, corpus, run, False, arguments.seed),
        "cloud_auto": lambda run: pretrain_seconds(size, corpus, run, None, arguments.seed),
    }
    seconds = {name: [] for name in ways}
    # in turns, so that a disturbance of the machine meets all of them
    for repeat in range(arguments.repeats):
        for name, train in ways.items():
            seconds[name].append(train(folder / f"{size}-{name}-{repeat}"))
    fastest = {name: min(times) for name, times in seconds.items()}
    return {
        "seconds": seconds,
        "tokens_per_second": {n: round(corpus.lengths.sum() / s) for n, s in fastest.items()},
        "ratios": {name: fastest["plain_fp32"] / s for name, s in fastest.items()},
    }


def pretrain_seconds(size, corpus, folder, bf16, seed):
    start = time.process_time()
    pretrain(
        corpus,
        folder,
        config=ENCODER_SIZES[size],
        epochs=1,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        held_out=0.0,
        bf16=bf16,
        device="cpu",
        random_state=seed,
    )
    return time.process_time() - start


def plain_loop(size, corpus, seed):
    """CPU seconds of one epoch."""
    torch.manual_seed(seed)
    model = BertForMaskedLM(BertConfig(**ENCODER_SIZES[size].to_bert())).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    mask_id = SymmetryTokenizer().mask_id
    input_ids = torch.full((len(corpus), PADDED_LENGTH), PAD_ID)
    for row, ids in enumerate(corpus.iter_tokens()):
        ids = ids[:PADDED_LENGTH]
        input_ids[row, : len(ids)] = torch.from_numpy(ids.astype(np.int64))
    start = time.process_time()
    for rows in torch.randperm(len(corpus)).split(BATCH_SIZE):
        batch = input_ids[rows]
        chosen = (torch.rand(batch.shape) < 0.15) & (batch != PAD_ID)
        labels = torch.where(chosen, batch, -100)
        masked = torch.where(chosen, mask_id, batch)
        loss = model(masked, attention_mask=(batch != PAD_ID).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return time.process_time() - start


def print_table(result):
    print(f"{result['strings']:,} strings, {result['tokens']:,} tokens")
    print(f"{'size':8}{'way':14}{'tokens/s':>10}{'ratio':>8}")
    for size, measured in result["sizes"].items():
        for name, rate in measured["tokens_per_second"].items():
            print(f"{size:8}{name:14}{rate:10,}{measured['ratios'][name]:8.2f}")


if __name__ == "__main__":
    main()
