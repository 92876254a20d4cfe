"""Self-supervised pre-training of an encoder on the Hugging Face Trainer."""

import json
import logging
import math
import os
from pathlib import Path

import numpy as np
import torch

from .checkpoints import save_encoder
from .config import ENCODER_SIZES
from .corpus import JoinedCorpus, held_out_rows
from .masking import IGNORED, LengthGroupedRows, MaskedBatch, RowNumbers
from .pretraining_model import PretrainingModel
from .tokenizer import PARTS, SymmetryTokenizer

logger = logging.getLogger(__name__)
_CHECKPOINT_FILES = (
    "model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
)


def pretrain(
    corpus,
    folder,
    *,
    config=None,
    geometry_weight=0.0,
    epochs=50,
    batch_size=2048,
    device_batch_size=256,
    learning_rate=1e-4,
    weight_decay=0.0,
    warmup_ratio=0.05,
    mask_probability=0.15,
    held_out=0.02,
    evaluations=10,
    save_steps=100,
    device=None,
    bf16=None,
    random_state=0,
    metadata=None,
    verbose=0,
):
    """Pre-train an encoder by masked language modelling.

    Parameters
    ----------
    corpus : Corpus or sequence of Corpus
        What `build_corpus` returns; several are trained on together.
    folder : str or path
        Checkpoints go here and, at the end, `encoder/`, which is what `encoder=` of an estimator
        takes, and `history.json`. If it holds checkpoints of this training, it goes on from the
        last complete one and follows the same loss curve as without the interruption.
    config : EncoderConfig, default=None
        None is `ENCODER_SIZES["mini"]`.
    geometry_weight : float, default=0.0
        Above 0, the encoder also learns to predict the geometry of the crystals.
    epochs : int, default=50
    batch_size : int, default=2048
        Strings per step of the optimizer, over all devices.
    device_batch_size : int, default=256
        Strings that a device computes at a time; the rest of the batch is accumulated.
    learning_rate, weight_decay, warmup_ratio : float
        Of AdamW, with linear warm-up and cosine decay.
    mask_probability : float, default=0.15
        Share of the tokens that are masked.
    held_out : float, default=0.02
        Share of the compositions kept for validation.
    evaluations : int, default=10
        How many times the held-out rows are scored.
    save_steps : int, default=100
        Optimizer steps between checkpoints.
    device : str, default=None
        "cpu" or "cuda"; None takes CUDA where there is one.
    bf16 : bool, default=None
        Mixed bfloat16 precision; None uses it where the processor computes in it.
    random_state : int, default=0
    metadata : dict, default=None
        Stored with the encoder.
    verbose : int, default=0
        Above 0 shows a progress bar.

    Returns
    -------
    dict
        `history`: the logged losses; `held_out`: the last scores on the held-out rows, see
        `score_masked_tokens`; `encoder`: the folder of the trained encoder.

    Raises
    ------
    ValueError
        If a parameter is invalid or the folder holds checkpoints of another training.

    Notes
    -----
    The defaults are those of Table 4 of the CLOUD paper (batch 2048, learning rate 1e-4, 50
    epochs, 5 % warm-up). The Trainer runs on one device, or, started by `accelerate launch` or
    `torchrun`, on many.
    """
    if isinstance(corpus, list | tuple):
        corpus = JoinedCorpus(corpus)
    config = config or ENCODER_SIZES["mini"]
    longest = int(corpus.lengths.max())
    if longest > config.max_positions:
        raise ValueError(
            f"the corpus holds strings of {longest} tokens, the encoder reads only "
            f"{config.max_positions}"
        )
    folder = Path(folder)
    plan = {
        "config": config.to_dict(),
        "rows": len(corpus),
        "geometry_weight": geometry_weight,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "warmup_ratio": warmup_ratio,
        "mask_probability": mask_probability,
        "held_out": held_out,
        "random_state": random_state,
    }
    _check_plan(folder, plan)
    validation = held_out_rows(corpus, held_out)
    rows = np.flatnonzero(~validation)
    trainer = _build_trainer(
        corpus,
        rows,
        np.flatnonzero(validation),
        PretrainingModel(config, geometry_weight),
        _training_arguments(
            folder,
            {**plan, "device_batch_size": device_batch_size, "save_steps": save_steps},
            n_steps=epochs * math.ceil(len(rows) / batch_size),
            evaluations=evaluations,
            device=device,
            bf16=bf16,
            verbose=verbose,
        ),
        mask_probability,
        random_state,
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(folder))
    return _finish(trainer, folder, config, plan, metadata)


def _check_plan(folder, plan):
    """Refuse to go on with another training's checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plan.json"
    if not path.exists():
        path.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    changed = sorted(key for key in plan if found.get(key) != plan[key])
    if changed:
        raise ValueError(
            f"{str(folder)!r} holds a training with other {', '.join(changed)}: choose another "
            f"folder, or remove it"
        )


def last_checkpoint(folder):
    """Path of the newest complete checkpoint in a folder, None where there is none.

    A training killed while it was writing leaves an incomplete checkpoint, which is passed over
    with a warning.
    """
    checkpoints = sorted(
        Path(folder).glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    )
    for path in reversed(checkpoints):
        missing = [name for name in _CHECKPOINT_FILES if not (path / name).is_file()]
        if not missing and _is_json(path / "trainer_state.json"):
            return str(path)
        logger.warning("%s is incomplete (%s): passed over", path, missing or "trainer_state.json")
    return None


def _is_json(path):
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return False
    return True


def _training_arguments(folder, plan, *, n_steps, evaluations, device, bf16, verbose):
    from transformers import TrainingArguments

    use_cpu = device == "cpu" or (device is None and not torch.cuda.is_available())
    world = max(1, int(os.environ.get("WORLD_SIZE", 1)))
    accumulation, rest = divmod(plan["batch_size"], plan["device_batch_size"] * world)
    if rest or not accumulation:
        raise ValueError(
            f"batch_size={plan['batch_size']} must be a multiple of device_batch_size="
            f"{plan['device_batch_size']} times the number of devices ({world})"
        )
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=plan["epochs"],
        per_device_train_batch_size=plan["device_batch_size"],
        gradient_accumulation_steps=accumulation,
        learning_rate=plan["learning_rate"],
        weight_decay=plan["weight_decay"],
        warmup_steps=float(plan["warmup_ratio"]),
        lr_scheduler_type="cosine",
        max_grad_norm=1.0,
        bf16=_has_bf16(use_cpu) if bf16 is None else bf16,
        use_cpu=use_cpu,
        seed=plan["random_state"],
        save_steps=plan["save_steps"],
        save_total_limit=2,
        logging_steps=max(1, n_steps // 200),
        eval_strategy="steps",
        eval_steps=max(1, n_steps // evaluations),
        dataloader_num_workers=0,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        disable_tqdm=not verbose,
        log_level="error",
        ddp_find_unused_parameters=False,
    )


def _has_bf16(use_cpu):
    if use_cpu:
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.cuda.is_bf16_supported()


def _build_trainer(corpus, rows, validation, model, arguments, mask_probability, seed):
    from transformers import PrinterCallback, Trainer

    class MaskedTrainer(Trainer):
        """Trainer that groups rows by length and scores masked tokens part by part."""

        def _get_train_sampler(self, train_dataset=None):
            return LengthGroupedRows(
                rows, corpus.lengths[rows], arguments.per_device_train_batch_size, seed
            )

        def evaluate(self, *args, **kwargs):
            scores = score_masked_tokens(
                self.model, corpus, validation, mask_probability=mask_probability
            )
            scores = {f"eval_{name}": value for name, value in scores.items()}
            self.log(scores)
            return scores

    trainer = MaskedTrainer(
        model=model,
        args=arguments,
        data_collator=MaskedBatch(corpus, mask_probability, seed),
        train_dataset=RowNumbers(len(rows)),
        eval_dataset=RowNumbers(len(validation)),
    )
    trainer.remove_callback(PrinterCallback)  # the library does not print; the history is returned
    return trainer


@torch.no_grad()
def score_masked_tokens(model, corpus, rows, *, mask_probability=0.15, batch_size=256):
    """Score a pre-training model on rows that it has not seen.

    Parameters
    ----------
    model : PretrainingModel
    corpus : Corpus or JoinedCorpus
    rows : ndarray of int
    mask_probability : float, default=0.15
    batch_size : int, default=256

    Returns
    -------
    dict
        `loss` (mean cross entropy per masked token, nats), `accuracy` over all masked tokens and
        per part of the string (`accuracy_generator`, `accuracy_sites`, `accuracy_composition`),
        and, for a model with geometry heads, `crystal_loss` and `orbit_loss`.
    """
    if not len(rows):
        return {}
    tokenizer = SymmetryTokenizer()
    collate = MaskedBatch(corpus, mask_probability, seed=0)
    device = next(model.parameters()).device
    rows = rows[np.argsort(corpus.lengths[rows], kind="stable")]
    was_training = model.training
    model.eval()
    sums, hits, counts = {}, np.zeros(len(PARTS)), np.zeros(len(PARTS))
    for start in range(0, len(rows), batch_size):
        batch = collate([(int(row), 0) for row in rows[start : start + batch_size]])
        output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        masked = (batch["labels"] != IGNORED).numpy()
        labels = batch["labels"].numpy()
        strings = np.where(masked, labels, batch["input_ids"].numpy())
        parts = np.array([tokenizer.part_ids(string) for string in strings])[masked]
        labels = labels[masked]
        np.add.at(hits, parts, output["predicted"].cpu().numpy() == labels)
        np.add.at(counts, parts, 1)
        for name in ("token_loss", "crystal_loss", "orbit_loss"):
            if name in output:
                weight = len(labels) if name == "token_loss" else len(batch["labels"])
                total, weights = sums.get(name, (0.0, 0))
                sums[name] = total + float(output[name]) * weight, weights + weight
    model.train(was_training)
    scores = {name: total / weight for name, (total, weight) in sums.items()}
    scores["loss"] = scores.pop("token_loss")
    scores["accuracy"] = float(hits.sum() / counts.sum())
    for part, hit, count in zip(PARTS, hits, counts, strict=True):
        if count:
            scores[f"accuracy_{part}"] = float(hit / count)
    return scores


def _finish(trainer, folder, config, plan, metadata):
    history = trainer.state.log_history
    held_out = trainer.evaluate()
    result = {"plan": plan, "held_out": held_out, "history": history}
    encoder = folder / "encoder"
    if trainer.is_world_process_zero():
        model = trainer.accelerator.unwrap_model(trainer.model)
        stored = {**(metadata or {}), "pretraining": plan, "held_out": held_out}
        save_encoder(encoder, model.encoder, config, metadata=stored)
        text = json.dumps(result, indent=1)
        (folder / "history.json").write_text(text + "\n", encoding="utf-8")
    return {**result, "encoder": encoder}
