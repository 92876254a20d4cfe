"""Every block of code of README and documentation: run, or checked where it cannot be run.

The pages' blocks are run in their order, in a folder with the files that they name. Fits are
cut short, which the reader would not do.
"""

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from page_blocks import ROOT, read_blocks, run_block, run_commands
from pymatgen.core import Lattice, Structure

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.__main__ import main
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import ENCODER_SIZES, EncoderConfig
from sklearn_cloud.ensembles import crystal_regressor
from sklearn_cloud.ensembles.members import regression_members

PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    + [path for kind in ("rst", "md") for path in (ROOT / "docs").glob(f"**/*.{kind}")]
)
WITH_BLOCKS = {
    path.relative_to(ROOT).as_posix(): path
    for path in PAGES
    if not {"_build", "auto_tutorials", "generated"} & set(path.parts)
    and len(read_blocks(path)) > 1
}
#: What the reader of a page has already, by its own words.
BEFORE = {
    "docs/guide/evaluation.rst": """
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_pipeline
from sklearn_cloud.features import SpaceGroupFractions
model = make_pipeline(SpaceGroupFractions(), ExtraTreesRegressor(5, random_state=0))
""",
    "docs/guide/physics.rst": """
from sklearn.ensemble import RandomForestRegressor
from sklearn_cloud.datasets import load_example
from sklearn_cloud.features import SpaceGroupFractions
from sklearn.pipeline import make_pipeline
data = load_example()
structures, train, energies = data.structures[:2], data.structures[:8], data.target[:8]
last_phonon_peaks = [300.0, 500.0]
fitted_regressor = make_pipeline(SpaceGroupFractions(), RandomForestRegressor(5))
fitted_regressor.fit(train, energies)
""",
    "docs/guide/predictors.rst": """
from sklearn_cloud.datasets import load_example
crystals = load_example().structures[:2]
""",
    "docs/guide/pretraining.rst": "from sklearn_cloud.pretraining import pretrain",
    "docs/howto/cluster.rst": """
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_pipeline
from optuna.distributions import IntDistribution
from sklearn_cloud.datasets import load_example
from sklearn_cloud.features import SpaceGroupFractions
from sklearn_cloud.pretraining import CorpusSource, build_corpus
from sklearn_cloud.tuning import tune_pipeline
data = load_example()
crystals, target = data.structures[:24], data.target[:24]
rows = [(str(row), crystal) for row, crystal in enumerate(crystals)]
build_corpus("corpus", [CorpusSource("example", rows)])
import pandas
from pathlib import Path
Path("crystals").mkdir()
table = pandas.DataFrame({"cif": [crystal.to(fmt="cif") for crystal in crystals]})
table.to_parquet("crystals/a.parquet", row_group_size=12)
model = make_pipeline(SpaceGroupFractions(), ExtraTreesRegressor(1, random_state=0))
space = {"extratreesregressor__min_samples_leaf": IntDistribution(1, 3)}
""",
    "docs/howto/gpu.rst": "from sklearn_cloud import CloudRegressor",
}
FACES = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
ROCK_SALT = [[0, 0, 0], *FACES, [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
CRYSTALS = {
    "MgO": (4.21, ["Mg"] * 4 + ["O"] * 4, ROCK_SALT),
    "another": (4.81, ["Ca"] * 4 + ["O"] * 4, ROCK_SALT),
    "Na3Cl": (4.4, ["Na"] * 3 + ["Cl"], [*FACES, [0, 0, 0]]),
    "SrTiO3": (3.905, ["Sr", "Ti"] + ["O"] * 3, [[0, 0, 0], [0.5, 0.5, 0.5], *FACES]),
    "Si": (5.43, ["Si"] * 8, [*ROCK_SALT[:4], *np.add(ROCK_SALT[:4], 0.25)]),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "data_home"))
    assert main(["example", "-o", "my_crystals", "--rows", "40", "--quiet"]) == 0
    shutil.copytree("my_crystals", ".", dirs_exist_ok=True)
    Path("new_crystals").mkdir()
    for name, (length, species, sites) in CRYSTALS.items():
        Structure(Lattice.cubic(length), species, sites).to(f"{name}.cif")
        shutil.copy(f"{name}.cif", "new_crystals")
    write_table(tmp_path / "data_home/matbench_jdft2d.json.gz")


def write_table(path):
    """Write a few rows in the form of a MatBench table, with other crystals and targets."""
    data = load_example()
    rows = [[crystal.as_dict(), gap] for crystal, gap in zip(data.structures[:40], data.target)]
    table = {
        "index": [f"mb-jdft2d-{15 * row + 1:03}" for row in range(40)],
        "columns": ["structure", "exfoliation_en"],
        "data": rows,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(table).encode()))


@pytest.fixture
def short(monkeypatch):
    """Two epochs where the default is up to fifty, two members of ensembles, a small encoder."""

    def few_members(effort, y, *, members, **options):
        if members is None:
            members = ["extra-trees"] if effort == "fast" else ["extra-trees", "CLOUD mini"]
        return regression_members(effort, y, members=members, **options)

    monkeypatch.setattr(crystal_regressor, "regression_members", few_members)
    for module in ("sklearn_cloud.estimators.cloud", "sklearn_cloud.ensembles.members"):
        monkeypatch.setattr(f"{module}.affordable_epochs", lambda *rows, **budget: 2)
    monkeypatch.setitem(ENCODER_SIZES, "paper", EncoderConfig(n_layers=1, n_heads=2, width=16))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_the_blocks_of_a_page(page, folder, short):
    names, skipped = {"__name__": "__main__"}, []
    exec(BEFORE.get(page, ""), names)
    for block in read_blocks(WITH_BLOCKS[page]):
        try:
            run_block(block, WITH_BLOCKS[page], names)
        except ImportError as error:
            if "pip install" not in str(error):
                raise
            skipped.append(f"{page}:{block.line}: {error}")
    if skipped:
        pytest.skip("; ".join(skipped))


def test_fits_of_the_pages_are_short(short):
    data = load_example()
    crystals, target = data.structures[:8], data.target[:8]
    strings = SymmetryStringTransformer().fit_transform(crystals)
    assert CloudRegressor(validation_fraction=0).fit(strings, target).n_iter_ == 2
    options = {"random_state": 0, "device": None, "n_jobs": 1}
    (member,) = regression_members("default", target, members=["CLOUD mini"], **options)
    assert member.estimator.max_epochs == 2


def test_the_blocks_that_are_there():
    """The reader of the pages finds them: neither all nor none."""
    blocks = {page: read_blocks(path) for page, path in WITH_BLOCKS.items()}
    assert {"README.md", "CONTRIBUTING.md", "docs/install.rst"} <= set(blocks)
    for page, path in WITH_BLOCKS.items():
        text = path.read_text(encoding="utf-8")
        n_marked = len(re.findall(r"^ *```\w|^ *\.\. code-block::", text, re.MULTILINE))
        assert len(blocks[page]) == 2 * n_marked + 1
    assert set(BEFORE) <= set(blocks)


@pytest.mark.parametrize(
    "command",
    [
        "sklearn-cloud no-such-command",
        "pip install '.[no-such-extra]'",
        "pip install -c no-such-file.txt .",
        "python benchmarks/no_such_script.py",
        "tox -e no-such-environment",
        "pytest tests/no-such-folder",
        "no-such-program",
        "pip install . && no-such-program",
    ],
)
def test_a_wrong_command_is_noticed(command):
    with pytest.raises(AssertionError):
        run_commands(command)


def test_scripts_that_the_pages_name_exist():
    for path in PAGES:
        if "_build" in path.parts or path.name == "leaderboard.md":  # commands of earlier versions
            continue
        for script in re.findall(r"benchmarks/[\w/]+\.py", path.read_text(encoding="utf-8")):
            assert (ROOT / script).is_file(), f"{path}: {script}"
