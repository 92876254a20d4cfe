"""The Hugging Face Trainer, set up for masked language modelling on a corpus."""

import json
import logging
import os
import random
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from ..training.devices import choose_bf16, choose_device
from .masking import LengthGroupedRows, MaskedBatch, RowNumbers
from .scores import score_masked_tokens

logger = logging.getLogger(__name__)
#: Files of a complete checkpoint; FSDP has other names for weights and optimizer.
_CHECKPOINT_PARTS = ("*model*", "optimizer*", "scheduler.pt", "rng_state*.pth")
#: The Trainer writes this file last.
_STATE_FILE = "trainer_state.json"


@contextmanager
def local_state(seed):
    """Seed Python, NumPy and torch only inside the block, and restore the log level after it.

    The Trainer sets all of these for the whole process.
    """
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (put back below)
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            transformers_logging.set_verbosity(level)


def last_checkpoint(folder):
    """Return the path of the newest complete checkpoint in a folder, or None.

    A training that is killed while writing leaves an incomplete checkpoint, which is skipped with a
    warning.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If there are checkpoints that were complete, but all of them are damaged.
    """
    paths = [path for path in Path(folder).glob("checkpoint-*") if path.is_dir()]
    paths.sort(key=lambda path: int(path.name.split("-")[1]), reverse=True)
    for path in paths:
        problem = _find_problem(path)
        if problem is None:
            return str(path)
        logger.warning("skipped %s: %s", path, problem)
    if any((path / _STATE_FILE).is_file() for path in paths):
        raise ValueError(
            f"no checkpoint in {str(folder)!r} can be read ({paths[0].name}: {problem}): remove "
            f"the folder to start the training again"
        )
    return None


def _find_problem(path):
    """Return the problem of a checkpoint, or None if it is complete."""
    try:
        json.loads((path / _STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"{_STATE_FILE}: {error}"
    for part in _CHECKPOINT_PARTS:
        found = sorted(path.glob(part))
        if not found:
            return f"{part} is missing"
        damaged = [file.name for file in found if file.is_file() and not _is_whole(file)]
        if damaged:
            return f"{damaged[0]} is damaged"
    return None


def _is_whole(file):
    """Whether a file has the length given in its header."""
    if file.suffix != ".safetensors":
        return zipfile.is_zipfile(file)  # the format of torch.save
    try:
        with safe_open(file, framework="pt"):
            return True
    except SafetensorError:
        return False


def count_accumulation(batch_size, device_batch_size):
    """Return the number of device batches per batch of the optimizer.

    Raises
    ------
    ValueError
        If the batch of the optimizer is not a multiple of them.
    """
    world = int(os.environ.get("WORLD_SIZE", 1))
    accumulation, rest = divmod(batch_size, device_batch_size * world)
    if rest or not accumulation:
        raise ValueError(
            f"batch_size={batch_size} must be a multiple of device_batch_size="
            f"{device_batch_size} times the number of processes ({world})"
        )
    return accumulation


def _check_accelerate():
    try:
        import accelerate  # noqa: F401 (the Trainer needs it, and would name another package)
    except ImportError as error:
        raise ImportError(
            "pre-training requires accelerate: pip install 'sklearn-cloud[pretraining]'"
        ) from error


def training_arguments(
    folder, plan, *, accumulation, n_steps, evaluations, save_steps, device, bf16, verbose
):
    """Return the arguments of the Trainer from the stored parameters of `pretrain`."""
    _check_accelerate()
    from transformers import TrainingArguments

    device = choose_device(device)
    if device == "cpu" and os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        # accelerate would ignore it
        raise ValueError(
            "FSDP (accelerate launch --use_fsdp) needs GPUs: without them, start the script with "
            "torchrun, or with accelerate launch and no --use_fsdp"
        )
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=plan["epochs"],
        per_device_train_batch_size=plan["device_batch_size"],
        gradient_accumulation_steps=accumulation,
        learning_rate=plan["learning_rate"],
        weight_decay=plan["weight_decay"],
        warmup_steps=float(plan["warmup_ratio"]),  # below 1: a share of the steps
        lr_scheduler_type="cosine",
        max_grad_norm=1.0,
        bf16=choose_bf16("auto", device) if bf16 is None else bf16,
        use_cpu=device == "cpu",
        seed=plan["random_state"],
        save_steps=save_steps,
        save_total_limit=2,
        logging_steps=_logging_steps(save_steps, n_steps),
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=max(1, n_steps // evaluations),
        dataloader_num_workers=0,
        dataloader_pin_memory=device != "cpu",
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        disable_tqdm=not verbose,
        log_level="error",
        ddp_find_unused_parameters=False,
    )
    if arguments.n_gpu > 1:
        # in one process, the Trainer would train on larger batches, one for each device
        arguments._n_gpu = 1
    return arguments


def _logging_steps(save_steps, n_steps):
    """Return the steps between about 200 logs, one of them at each checkpoint.

    If it is interrupted, the Trainer loses the losses since the last log.
    """
    most = max(1, n_steps // 200)
    return max(steps for steps in range(1, most + 1) if save_steps % steps == 0)


def build_trainer(corpus, rows, validation, model, arguments, mask_probability):
    """Return a Trainer that groups rows by length and scores masked tokens by part.

    Parameters
    ----------
    corpus : Corpus or JoinedCorpus
    rows, validation : ndarray of int
        Rows to train on and rows to score.
    model : PretrainingModel
    arguments : transformers.TrainingArguments
    mask_probability : float

    Returns
    -------
    transformers.Trainer
    """
    from transformers import PrinterCallback, Trainer, TrainerCallback

    batch_size, seed = arguments.per_device_train_batch_size, arguments.seed
    sampler = LengthGroupedRows(rows, corpus.lengths[rows], batch_size, seed)

    class SetEpoch(TrainerCallback):
        """Set the epoch of the sampler, which accelerate may not do after an interruption."""

        def on_epoch_begin(self, args, state, control, **kwargs):
            sampler.set_epoch(int(state.epoch or 0))

    class MaskedTrainer(Trainer):
        def _get_train_sampler(self, train_dataset=None):
            return sampler

        def _save_rng_state(self, output_dir):
            super()._save_rng_state(output_dir)
            # the state file, written next, means that every process has written its part
            self.accelerator.wait_for_everyone()

        def evaluate(self, *args, **kwargs):
            scores = score_masked_tokens(
                self.model, corpus, validation, mask_probability=mask_probability
            )
            scores = {f"eval_{name}": value for name, value in scores.items()}
            self.log(scores)
            # mark it as done: the Trainer would evaluate again at the end of the epoch
            self.control = self.callback_handler.on_evaluate(
                self.args, self.state, self.control, scores
            )
            return scores

    trainer = MaskedTrainer(
        model=model,
        args=arguments,
        data_collator=MaskedBatch(corpus, mask_probability, seed),
        train_dataset=RowNumbers(len(rows)),
        eval_dataset=RowNumbers(len(validation)),
        callbacks=[SetEpoch()],
    )
    trainer.remove_callback(PrinterCallback)  # the library does not print; the history is returned
    return trainer
