"""Self-supervised pre-training of an encoder with the Hugging Face Trainer."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..encoder.checkpoints import save_encoder
from ..encoder.config import ENCODER_SIZES
from ..files import check_plan
from .corpus import JoinedCorpus, held_out_rows
from .plan_checks import check_metadata, check_parameters
from .pretraining_model import PretrainingModel
from .scores import score_masked_tokens
from .trainer import (
    build_trainer,
    count_accumulation,
    last_checkpoint,
    local_state,
    training_arguments,
)

__all__ = ["last_checkpoint", "pretrain", "score_masked_tokens"]


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
        The corpus from `build_corpus`, or several that are trained on together.
    folder : str or path
        Folder of the checkpoints and, at the end, of `encoder/`, a value for `encoder=` of an
        estimator that reads this language, and `history.json`. If it has checkpoints of this
        training, the training resumes from the last complete one, with the same loss curve as
        without the interruption.
    config : EncoderConfig, default=None
        Shape of the encoder; None means `ENCODER_SIZES["mini"]`, with the vocabulary and the
        positions of the language of the corpus.
    geometry_weight : float, default=0.0
        Weight of the geometry in the loss; if positive, the encoder also learns to predict it.
    epochs : int, default=50
    batch_size : int, default=2048
        Strings per step of the optimizer, over all devices.
    device_batch_size : int, default=256
        Strings per device at a time; gradients are accumulated over the rest of the batch.
    learning_rate, weight_decay, warmup_ratio : float
        Parameters of AdamW with linear warm-up and cosine decay.
    mask_probability : float, default=0.15
        Share of the tokens that are masked.
    held_out : float, default=0.02
        Share of the compositions held out for validation.
    evaluations : int, default=10
        Number of times the held-out rows are scored.
    save_steps : int, default=100
        Optimizer steps between checkpoints.
    device : str, default=None
        "cpu" or "cuda"; None uses CUDA if available.
    bf16 : bool, default=None
        Mixed bfloat16 precision; None uses it if the processor supports it.
    random_state : int, default=0
    metadata : dict, default=None
        Stored with the encoder.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    dict
        `plan`: the parameters that the result depends on; `history`: the logged losses, and
        scores on the held-out rows as `eval_...`; `held_out`: the last of these scores, see
        `score_masked_tokens`; `encoder`: the folder of the trained encoder.

    Raises
    ------
    ImportError
        If accelerate is missing: `pip install 'sklearn-cloud[pretraining]'`.
    ValueError
        If a parameter is invalid, the folder has checkpoints of another training, all its
        checkpoints are damaged, or FSDP is asked for without a GPU.

    Notes
    -----
    The defaults are those of Table 4 of the CLOUD paper (batch 2048, learning rate 1e-4, 50
    epochs, 5 % warm-up). The Trainer runs on one device, or, started by `accelerate launch` or
    `torchrun`, on many; their number may change when a training is resumed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
    >>> from sklearn_cloud.pretraining import pretrain
    >>> crystals = load_example().structures[:8]
    >>> source = CorpusSource("example", [(str(i), crystal) for i, crystal in enumerate(crystals)])
    >>> folder = TemporaryDirectory()
    >>> corpus = build_corpus(folder.name + "/corpus", [source])
    >>> result = pretrain(
    ...     corpus,
    ...     folder.name + "/training",
    ...     config=EncoderConfig(n_layers=1, n_heads=1, width=8),
    ...     epochs=1,
    ...     batch_size=8,
    ...     device_batch_size=8,
    ...     held_out=0.0,
    ... )
    >>> result["encoder"].name
    'encoder'
    >>> folder.cleanup()
    """
    if isinstance(corpus, list | tuple):
        corpus = JoinedCorpus(corpus)
    config = config or _default_config(corpus.language)
    folder = Path(folder)
    plan = {
        "config": config.to_dict(),
        "corpus": corpus.fingerprint,
        "rows": len(corpus),
        "geometry_weight": geometry_weight,
        "epochs": epochs,
        "batch_size": batch_size,
        "device_batch_size": device_batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "warmup_ratio": warmup_ratio,
        "mask_probability": mask_probability,
        "held_out": held_out,
        "random_state": random_state,
    }
    check_parameters({"evaluations": evaluations, "save_steps": save_steps})
    plan = check_parameters(plan)
    _check_vocabulary(corpus, config)
    check_metadata(metadata)
    accumulation = count_accumulation(batch_size, device_batch_size)
    validation = held_out_rows(corpus, held_out)
    rows = np.flatnonzero(~validation)
    if not len(rows):
        raise ValueError(
            f"held_out={held_out} leaves none of {len(corpus)} rows for training: use less"
        )
    arguments = {
        "accumulation": accumulation,
        "n_steps": epochs * math.ceil(len(rows) / batch_size),
        "evaluations": evaluations,
        "save_steps": save_steps,
        "device": device,
        "bf16": bf16,
        "verbose": verbose,
    }
    check_plan(folder / "plan.json", plan, "training")
    with local_state(random_state):
        trainer = build_trainer(
            corpus,
            rows,
            np.flatnonzero(validation),
            PretrainingModel(config, geometry_weight),
            training_arguments(folder, plan, **arguments),
            mask_probability,
        )
        trainer.train(resume_from_checkpoint=last_checkpoint(folder))
        return _finish(trainer, folder, config, plan, corpus.language, metadata)


def _default_config(language):
    return replace(
        ENCODER_SIZES["mini"],
        vocabulary_size=len(language.vocabulary),
        max_positions=language.max_positions,
    )


def _check_vocabulary(corpus, config):
    if config.vocabulary_size != len(corpus.language.vocabulary):
        raise ValueError(
            f"the corpus is written in {len(corpus.language.vocabulary)} tokens, but the encoder "
            f"has vocabulary_size={config.vocabulary_size}: make them equal"
        )
    longest = int(corpus.lengths.max())
    if longest > config.max_positions:
        raise ValueError(
            f"the corpus has strings of {longest} tokens, but the encoder reads only "
            f"{config.max_positions}: use a larger max_positions, or a corpus with smaller "
            f"max_tokens"
        )


def _finish(trainer, folder, config, plan, language, metadata):
    scored = [entry["step"] for entry in trainer.state.log_history if "eval_loss" in entry]
    if len(trainer.eval_dataset) and scored[-1:] != [trainer.state.global_step]:
        trainer.evaluate()
    # the summary of the Trainer only covers the training since the last interruption
    history = [entry for entry in trainer.state.log_history if "train_runtime" not in entry]
    last = next((entry for entry in reversed(history) if "eval_loss" in entry), {})
    held_out = {
        name.removeprefix("eval_"): score
        for name, score in last.items()
        if name.startswith("eval_")
    }
    result = {"plan": plan, "held_out": held_out, "history": history}
    encoder = folder / "encoder"
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if trainer.is_world_process_zero():
        model = PretrainingModel(config, plan["geometry_weight"])
        model.load_state_dict(weights)
        stored = {**(metadata or {}), "pretraining": plan, "held_out": held_out}
        save_encoder(encoder, model.encoder, config, language, metadata=stored)
        text = json.dumps(result, indent=1)
        (folder / "history.json").write_text(text + "\n", encoding="utf-8")
    trainer.accelerator.wait_for_everyone()
    return {**result, "encoder": encoder}
