"""`sklearn-cloud info`: versions, devices, weights, models and data on this machine."""

import platform

from .options import add_command

DESCRIPTION = """\
Show the versions of the packages, the devices, the encoders that need no download, the models for
`benchmark`, and the data folder. Please include it in a bug report.

    sklearn-cloud info
"""
PACKAGES = (
    "numpy pandas scikit-learn skorch torch transformers safetensors pymatgen spglib moyopy"
).split()
#: Optional package -> extra that installs it.
OPTIONAL = {
    "accelerate": "pretraining",
    "ase": "ase",
    "matminer": "baselines",
    "matplotlib": "plot",
    "optimade": "optimade",
    "optuna": "tuning",
    "pyarrow": "optimade",
    "streamlit": "app",
}


def add_parser(commands):
    add_command(commands, "info", run, "versions, devices, weights, models, data", DESCRIPTION)


def run(arguments):
    from .messages import say

    sections = {
        "Versions": list_versions(),
        "Devices": list_devices(),
        "Encoders": list_encoders(),
        "Models": list_models(),
        "Data": list_data(),
    }
    for title, lines in sections.items():
        say(title)
        for name, text in lines.items():
            say(f"  {name:20} {text}")


def list_versions():
    from importlib.metadata import PackageNotFoundError, version

    from .._version import __version__

    lines = {"sklearn-cloud": __version__, "python": platform.python_version()}
    for name in (*PACKAGES, *OPTIONAL):
        try:
            lines[name] = version(name)
        except PackageNotFoundError:
            extra = f": pip install 'sklearn-cloud[{OPTIONAL[name]}]'" if name in OPTIONAL else ""
            lines[name] = f"not installed{extra}"
    return lines


def list_devices():
    import torch

    from ..training.devices import choose_bf16

    def describe(device):
        return " (trains in bfloat16)" if choose_bf16("auto", device) else ""

    threads = torch.get_num_threads()
    lines = {"cpu": f"{platform.machine()}, {threads} threads{describe('cpu')}"}
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            name = f"cuda:{number}"
            lines[name] = f"{torch.cuda.get_device_name(number)}{describe(name)}"
    return lines


def list_encoders():
    from ..encoder import load_encoder
    from ..encoder.sources import BUNDLED, WEIGHTS_FILE, WEIGHTS_FOLDER

    lines = {}
    for name in BUNDLED:
        config = load_encoder(name).config
        size = (WEIGHTS_FOLDER / name / WEIGHTS_FILE).stat().st_size / 1e6
        lines[name] = (
            f"part of the package: {config.n_layers} layers x {config.width}, {size:.1f} MB"
        )
    for name, size in list_cached():
        lines[name] = f"cached from the Hugging Face Hub: {size / 1e6:.1f} MB"
    return lines


def list_cached():
    """Return the encoders in the Hugging Face cache as (id, bytes)."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    from ..encoder.original_format import VOCABULARY_FILE
    from ..encoder.tokenizer import TOKENIZER_FILE

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        return []
    found = []
    for repository in repositories:
        files = {file.file_name for revision in repository.revisions for file in revision.files}
        if repository.repo_type == "model" and files & {TOKENIZER_FILE, VOCABULARY_FILE}:
            found.append((repository.repo_id, repository.size_on_disk))
    return sorted(found)


def list_models():
    """Return the models for `sklearn-cloud benchmark --model`, with a description."""
    from ..baselines.registry import MODELS

    lines = {}
    for name, model in MODELS.items():
        missing = f"; needs pip install 'sklearn-cloud[{model.extra}]'"
        lines[name] = f"{model.kind}, reads the {model.reads}"
        lines[name] += "" if model.is_installed else missing
    return lines


def list_data():
    from ..datasets import get_data_home
    from ..downloads import DATA_HOME_VARIABLE

    home = get_data_home()
    tables = sorted(
        path.name.removeprefix("matbench_").split(".")[0]
        for path in [*home.glob("matbench_*.json.gz"), *home.glob("matbench/matbench_*.json.gz")]
    )
    there = "" if home.is_dir() else " (does not exist yet)"
    return {
        "folder": f"{home}{there}; set by {DATA_HOME_VARIABLE}",
        "MatBench tables": ", ".join(tables) or "none (downloaded when needed)",
    }
