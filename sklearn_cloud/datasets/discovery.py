"""WBM crystals, the test set of Matbench Discovery."""

import csv
import gzip
import json
import re
import zlib

import numpy as np

from ..downloads import get_data_home
from ..pretraining.corpus_sources import open_text
from .matbench_table import _build_structure, _object_array

RECONSTRUCTION_FILE = "discovery/wbm_10k.csv.gz"
N_OFFICIAL = 256_963  # crystals of Matbench Discovery v1
ID_COLUMN = "material_id"
ENERGY_COLUMN = "e_form_per_atom_mp2020_corrected"
HULL_COLUMN = "e_above_hull_mp2020_corrected_ppd_mp"
PROTOTYPE_COLUMN = "unique_prototype"
_FORMULA = re.compile(r"^_chemical_formula_sum\s+'?([^'\n]+?)'?\s*$", re.MULTILINE)
_DAMAGED = (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error)


def fetch_discovery(version="reconstruction", *, data_home=None, verbose=0):
    """Load WBM crystals, to predict their formation energy and stability.

    Parameters
    ----------
    version : {"reconstruction", "official"}, default="reconstruction"
        ``"reconstruction"`` is a sample of 10,000 WBM crystals with formation energies but
        without stability labels: hull and labels are computed from the phases of the training
        set, so that scores are *not* comparable with the Matbench Discovery leaderboard.
        ``"official"`` reads the files of Matbench Discovery.
    data_home : str or path-like, default=None
        Folder of the data files; see `get_data_home`. The reconstruction is
        ``discovery/wbm_10k.csv.gz``; the official files are ``*wbm-summary.csv.gz`` and
        ``*wbm-init-structs.jsonl.gz``, in that folder or its subfolders ``discovery`` or ``wbm``.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        structures : object ndarray of shape (n_crystals,)
            CIF text of relaxed crystals in the reconstruction, pymatgen ``Structure`` objects
            before relaxation in the official version. Absent if only the summary is there.
        compositions : object ndarray of shape (n_crystals,)
            Formulas.
        target : ndarray of shape (n_crystals,)
            Formation energy in eV/atom.
        ids : str ndarray of shape (n_crystals,)
            Official ids, or ``wbm-10k-`` and the row number.
        band_gap : ndarray of shape (n_crystals,)
            In eV; reconstruction only.
        e_above_hull : ndarray of shape (n_crystals,)
            Distance to the Materials Project hull in eV/atom; official only.
        unique_prototype : bool ndarray of shape (n_crystals,)
            Whether the crystal is the first of its prototype; official only.
        coverage : float or None
            Share of the official crystals; None for the reconstruction.
        is_reconstruction : bool
            Whether this is the sample of 10,000 crystals.
        task_type, target_name, unit, DESCR : str
            Kind of task, name and unit of the target, and a description.

    Raises
    ------
    ValueError
        If `version` is unknown, or a file is damaged or lacks a column.
    FileNotFoundError
        If a file is missing; the message names the file and its folder.

    References
    ----------
    .. [1] H.-C. Wang, S. Botti, M. A. L. Marques, "Predicting stable crystalline compounds
       using chemical similarity", npj Computational Materials 7, 12 (2021).
    .. [2] J. Riebesell et al., "Matbench Discovery", arXiv:2308.14920; files:
       doi:10.6084/m9.figshare.22715158.

    Examples
    --------
    >>> from sklearn_cloud.datasets import fetch_discovery
    >>> wbm = fetch_discovery()  # doctest: +SKIP
    >>> wbm.structures.shape, wbm.is_reconstruction  # doctest: +SKIP
    ((10000,), True)
    """
    if version not in ("reconstruction", "official"):
        raise ValueError(f"version must be 'reconstruction' or 'official', got {version!r}")
    home = get_data_home(data_home)
    return _read_official(home, verbose) if version == "official" else _read_reconstruction(home)


def _read_reconstruction(home):
    from .crystal_data import CrystalData

    path = home / RECONSTRUCTION_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: a table of WBM crystals with the columns cif, "
            "formation_energy_per_atom and band_gap. Copy it there, pass its folder with "
            "data_home= or SKLEARN_CLOUD_DATA, or use version='official'"
        )
    rows = _read_csv(path, ("cif", "formation_energy_per_atom", "band_gap"))
    ids = np.array([f"wbm-10k-{row:05d}" for row in range(1, len(rows) + 1)])
    crystals = _object_array([row["cif"] for row in rows], _check_cif, ids, path)
    return CrystalData(
        structures=crystals,
        compositions=_objects(_FORMULA.search(cif).group(1) for cif in crystals),
        target=_numbers(rows, "formation_energy_per_atom", ids, path),
        ids=ids,
        band_gap=_numbers(rows, "band_gap", ids, path),
        coverage=None,
        is_reconstruction=True,
        task_type="regression",
        target_name="formation_energy_per_atom",
        unit="eV/atom",
        DESCR=(
            f"Reconstruction of Matbench Discovery: {len(rows):,} WBM crystals (relaxed, CIF) with "
            "formation energy in eV/atom and band gap in eV. Stability labels follow from a "
            "hull of the training set; they are not the official ones.\n"
            "Source: H.-C. Wang, S. Botti, M. A. L. Marques, npj Computational Materials 7, 12 "
            "(2021), CC-BY 4.0."
        ),
    )


def _read_official(home, verbose):
    from .crystal_data import CrystalData

    path = _find(home, "*wbm-summary.csv.gz")
    if path is None:
        raise FileNotFoundError(
            f"no *wbm-summary.csv.gz in {home}, {home / 'discovery'} or {home / 'wbm'}: download "
            "it and, for predictions, *wbm-init-structs.jsonl.gz from "
            "https://figshare.com/articles/dataset/22715158"
        )
    wanted = (ID_COLUMN, "formula", ENERGY_COLUMN, HULL_COLUMN, PROTOTYPE_COLUMN)
    rows = _read_csv(path, wanted)
    ids = np.array([row[ID_COLUMN] for row in rows])
    if len(np.unique(ids)) < len(ids):
        raise ValueError(f"{path} has duplicates in the column {ID_COLUMN}")
    prototypes = [row[PROTOTYPE_COLUMN].lower() for row in rows]
    if not set(prototypes) <= {"true", "false"}:
        raise ValueError(f"{path}: {PROTOTYPE_COLUMN} must be True or False")
    bunch = CrystalData(
        compositions=_objects(row["formula"] for row in rows),
        target=_numbers(rows, ENERGY_COLUMN, ids, path),
        ids=ids,
        e_above_hull=_numbers(rows, HULL_COLUMN, ids, path),
        unique_prototype=np.array([text == "true" for text in prototypes]),
        coverage=len(rows) / N_OFFICIAL,
        is_reconstruction=False,
        task_type="regression",
        target_name=ENERGY_COLUMN,
        unit="eV/atom",
        DESCR=(
            f"Matbench Discovery: {len(rows):,} of {N_OFFICIAL:,} WBM crystals with formation "
            "energy and distance to the Materials Project hull in eV/atom.\n"
            "Source: J. Riebesell et al., arXiv:2308.14920, CC-BY 4.0."
        ),
    )
    structures = _find(home, "*wbm-init-structs.jsonl.gz")
    if structures is not None:
        bunch.structures = _read_structures(structures, ids, verbose)
    return bunch


def _read_structures(path, ids, verbose):
    from tqdm.auto import tqdm

    place = {name: row for row, name in enumerate(ids.tolist())}
    crystals, single = np.empty(len(ids), dtype=object), {}
    try:
        with open_text(path) as lines:
            for line in tqdm(lines, total=len(ids), desc="WBM crystals", disable=not verbose):
                record = json.loads(line)
                row = place.get(record[ID_COLUMN])
                if row is not None:
                    crystals[row] = _build_structure(record["initial_structure"], single)
    except (*_DAMAGED, ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}): delete it and download it again"
        ) from error
    missing = [name for name, crystal in zip(ids, crystals) if crystal is None]
    if missing:
        raise ValueError(f"{path} lacks {len(missing)} crystals of the summary, e.g. {missing[0]}")
    return crystals


def _find(home, pattern):
    """Find a file in the usual folders; of several, the newest by the date in its name."""
    for folder in (home, home / "discovery", home / "wbm"):
        found = sorted(folder.glob(pattern))
        if found:
            return found[-1]
    return None


def _read_csv(path, columns):
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), reader.fieldnames or []
    except _DAMAGED as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and download it again") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise ValueError(f"{path} lacks the column(s) {missing}; its columns are {names}")
    if not rows or any(row[name] is None for row in rows for name in columns):
        raise ValueError(f"{path} is empty or has an incomplete row")
    return rows


def _numbers(rows, column, ids, path):
    values = []
    for name, row in zip(ids, rows):
        try:
            values.append(float(row[column]))
        except ValueError as error:
            raise ValueError(f"{path}: the {column} of {name} is {row[column]!r}") from error
    values = np.array(values)
    if not np.isfinite(values).all():
        first = ids[np.flatnonzero(~np.isfinite(values))[0]]
        raise ValueError(f"{path}: the {column} of {first} is not a finite number")
    return values


def _check_cif(text):
    if not _FORMULA.search(text):
        raise ValueError("not CIF text with a _chemical_formula_sum")


def _objects(values):
    values = list(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
