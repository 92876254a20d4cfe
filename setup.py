"""Packaging of sklearn-cloud."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (HERE / "sklearn_cloud/_version.py").read_text(), re.MULTILINE
).group(1)

INSTALL_REQUIRES = [
    "numpy>=1.26",
    "scipy>=1.13",
    "pandas>=2.1",
    "scikit-learn>=1.6",
    "skorch>=1.1",
    "torch>=2.4",
    "transformers>=5",
    "huggingface_hub>=1.0",
    "safetensors>=0.4.3",
    "spglib>=2.5",
    "gemmi>=0.7",
    "moyopy>=0.21",
    "pymatgen>=2025.1",
    "joblib>=1.3",
    "tqdm>=4.66",
    "filelock>=3.12",
]

EXTRAS = {
    "ase": ["ase>=3.23"],
    "baselines": ["matminer>=0.9.3"],
    "chgnet": ["chgnet>=0.4"],
    "conformal": ["mapie>=1.4"],
    "optimade": ["optimade[http-client]>=1.5", "pyarrow>=18"],
    "parquet": ["pyarrow>=18"],
    "persistence": ["skops>=0.13"],
    "plot": ["matplotlib>=3.8"],
    "pretraining": ["accelerate>=1.1"],
    "sevennet": ["sevenn>=0.13"],
    "tuning": ["optuna>=4", "optuna-integration>=4"],
    "tuning-postgres": ["psycopg[binary]>=3.2"],
    "docs": [
        "sphinx>=8.2",
        "numpydoc>=1.9",
        "sphinx-gallery>=0.19",
        "pydata-sphinx-theme>=0.16",
        "myst-parser>=4",
    ],
}
EXTRAS["docs"] += [*EXTRAS["plot"], *EXTRAS["pretraining"], *EXTRAS["tuning"]]  # for tutorials
EXTRAS["test"] = [
    "pytest>=8",
    "hypothesis>=6.100",
    "optimade[server]>=1.5",  # a server for the tests to download from
    "polars>=1",
    *EXTRAS["ase"],
    *EXTRAS["baselines"],
    *EXTRAS["conformal"],
    *EXTRAS["optimade"],
    *EXTRAS["persistence"],
    *EXTRAS["plot"],
    *EXTRAS["pretraining"],
    *EXTRAS["tuning"],
]
EXTRAS["lint"] = ["ruff>=0.12"]
# The potentials are heavy, and each has wishes of its own: they are asked for by name.
EXTRAS["all"] = sorted(
    {need for name, group in EXTRAS.items() if name not in ("chgnet", "sevennet") for need in group}
)

setup(
    name="sklearn-cloud",
    version=VERSION,
    description="CLOUD, a foundation model for crystals, as scikit-learn estimators",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="the sklearn_cloud developers",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    packages=find_packages(include=["sklearn_cloud", "sklearn_cloud.*"]),
    package_data={"sklearn_cloud": ["data/*", "data/**/*"]},
    python_requires=">=3.11",
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["sklearn-cloud=sklearn_cloud.__main__:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Chemistry",
        "Topic :: Scientific/Engineering :: Physics",
    ],
)
