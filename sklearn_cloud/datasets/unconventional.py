"""UnconvBench: 2D crystals, metal-organic frameworks, superconductors, crystals with vacancies."""

import csv
import gzip
import json
import zlib

import numpy as np

from ..crystals.crystal import Crystal
from ..crystals.reading import read_crystal
from ..downloads import get_data_home
from ..pretraining.corpus_sources import open_text
from .matbench_table import _check_structure, _check_target, _object_array, _read_json

N_FOLDS = 5
FOLD_SEED = 42  # fixed by the UnconvBench authors for all tasks
ARTICLE = "https://figshare.com/articles/dataset/UnconvBench/26657428"
_DAMAGED = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, IndexError)

# task -> name of UnconvBench, rows, target, unit. The paper's Table 3 gives eV/atom for
# `defected`, but the source contains vacancy formation energies, in eV per vacancy.
TASKS = {
    "2d_e_exf": ("exfoliation", 4527, "exfoliation energy of 2D crystals", "eV/atom"),
    "2d_e_tot": ("2d_e_tot", 3520, "total energy of 2D crystals", "eV"),
    "2d_gap": ("2d_gap", 3520, "band gap of 2D crystals", "eV"),
    "qmof": ("qmof", 5106, "energy of metal-organic frameworks", "eV"),
    "supercon": ("supercon", 1058, "critical temperature of superconductors", "K"),
    "defected": ("defected", 530, "vacancy formation energy of crystals with a vacancy", "eV"),
}


def fetch_unconventional(task, *, data_home=None, verbose=0):
    """Load a task of UnconvBench, with folds that follow its rule.

    The file ``ub_unconvbench_<name>.json`` (or ``.json.gz``) of UnconvBench, in `data_home` or its
    subfolder ``unconventional``, is used if it exists. Otherwise ``supercon`` and ``defected`` are
    built from the sources of UnconvBench: the same kind of crystals, but neither the same rows nor
    the same order, so that the folds follow the same rule but are not the same. Crystals of
    ``defected`` without the elements of all sites in the source are left out (35 of 545).

    Parameters
    ----------
    task : {"2d_e_exf", "2d_e_tot", "2d_gap", "qmof", "supercon", "defected"}
        Name of the task, as in the paper.
    data_home : str or path-like, default=None
        Folder of the data files; see `get_data_home`.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        structures : object ndarray of shape (n_rows,)
            pymatgen ``Structure`` objects.
        target : ndarray of shape (n_rows,)
            float64.
        ids : str ndarray of shape (n_rows,)
            UnconvBench's ids, or those of the source.
        folds : list of 5 (train, test) pairs of index arrays
            ``KFold(5, shuffle=True, random_state=42)`` on the rows, ready for ``cv=``.
        coverage : float or None
            1.0 for the table of UnconvBench; None for one built from its source.
        is_reconstruction : bool
            Whether the table was built from its source.
        task, task_type, target_name, unit : str
            Task, kind of task, and name and unit of the target.
        n_official : int
            Number of rows of UnconvBench's table.
        DESCR : str
            Description of the table.

    Raises
    ------
    ValueError
        If the task is unknown or its file is damaged.
    FileNotFoundError
        If the file is missing; the message names the file and its folder.

    References
    ----------
    .. [1] H. Wang et al., "CrysToGraph: A comprehensive predictive model for crystal materials
       properties and the benchmark", arXiv:2407.16131; tables:
       https://figshare.com/articles/dataset/UnconvBench/26657428
    .. [2] T. Xie et al., "Crystal diffusion variational autoencoder for periodic material
       generation", ICLR 2022, and JARVIS-DFT: the superconductors.
    .. [3] K. Choudhary, B. G. Sumpter, "Can a deep-learning model make fast predictions of
       vacancy formation in diverse materials?", AIP Advances 13, 095109 (2023): the vacancies.

    Examples
    --------
    >>> from sklearn_cloud.datasets import fetch_unconventional
    >>> supercon = fetch_unconventional("supercon")  # doctest: +SKIP
    >>> supercon.unit, len(supercon.folds)  # doctest: +SKIP
    ('K', 5)
    """
    from sklearn.model_selection import KFold

    from .crystal_data import CrystalData

    if task not in TASKS:
        raise ValueError(f"unknown task {task!r} of UnconvBench; the tasks are {', '.join(TASKS)}")
    name, n_official, description, unit = TASKS[task]
    home = get_data_home(data_home)
    path = _find_official(name, home)
    sources = _source_files(task, home)
    if path is not None:
        ids, structures, target = _read_official(path, name, n_official, verbose)
    elif sources and all(source.is_file() for source in sources):
        read = _read_superconductors if task == "supercon" else _read_vacancies
        ids, structures, target = read(sources, verbose)
    else:
        raise FileNotFoundError(_missing(name, home, sources))
    folds = KFold(N_FOLDS, shuffle=True, random_state=FOLD_SEED).split(target)
    origin = path.name if path else "its source; rows and folds are not UnconvBench's"
    return CrystalData(
        structures=structures,
        target=target,
        ids=ids,
        folds=list(folds),
        coverage=None if path is None else 1.0,
        is_reconstruction=path is None,
        task=task,
        task_type="regression",
        target_name=description,
        unit=unit,
        n_official=n_official,
        DESCR=(
            f"UnconvBench, task {task} (regression): {description} in {unit}, {len(target):,} rows "
            f"from {origin}; the official table has {n_official:,}.\n"
            f"Folds of KFold({N_FOLDS}, shuffle=True, random_state={FOLD_SEED}).\n"
            f"Source: {ARTICLE}; H. Wang et al., arXiv:2407.16131."
        ),
    )


def list_unconventional():
    """Return the names of the six tasks of UnconvBench in the paper.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sklearn_cloud.datasets import list_unconventional
    >>> list_unconventional()
    ['2d_e_exf', '2d_e_tot', '2d_gap', 'qmof', 'supercon', 'defected']
    """
    return list(TASKS)


def _find_official(name, home):
    for folder in (home, home / "unconventional"):
        for suffix in ("json", "json.gz"):
            path = folder / f"ub_unconvbench_{name}.{suffix}"
            if path.is_file():
                return path
    return None


def _source_files(task, home):
    folder = home / "unconventional"
    if task == "supercon":
        return [folder / f"cdvae_supercon_{part}.csv.gz" for part in ("train", "val", "test")]
    return [folder / "vacancy_db.json.gz"] if task == "defected" else []


def _missing(name, home, sources):
    folder = home / "unconventional"
    other = f", or its source as {', '.join(map(str, sources))}" if sources else ""
    return (
        f"no table of UnconvBench's {name}: download ub_unconvbench_{name}.json from {ARTICLE} and "
        f"copy it to {folder}{other}. For another folder, set data_home= or the environment "
        "variable SKLEARN_CLOUD_DATA."
    )


def _read_official(path, name, n_official, verbose):
    """Read UnconvBench's table: a pandas "split" table of structure and target, without ids."""
    try:
        with open_text(path) as file:
            table = _read_json(file, n_official, verbose)
        inputs, values = zip(*((row[0], row[1]) for row in table["data"]))
    except _DAMAGED as error:
        raise _damage(path, error) from error
    if len(values) != n_official:
        raise ValueError(f"{path} has {len(values)} rows, but the official table has {n_official}")
    width = len(str(n_official))
    ids = np.array([f"unconvbench_{name}-{row:0{width}d}" for row in range(1, n_official + 1)])
    target = _check_target(values, ids, "regression", path)
    return ids, _object_array(inputs, _check_structure, ids, path), target


def _read_superconductors(paths, verbose):
    from tqdm.auto import tqdm

    rows = []
    for path in paths:
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                rows += [(row["material_id"], row["cif"], row["prop"]) for row in _complete(file)]
        except _DAMAGED as error:
            raise _damage(path, error) from error
    bar = tqdm(rows, desc="superconductors", disable=not verbose)
    inputs = [_from_cif(cif) for _, cif, _ in bar]
    # the files were made for a generative model that minimises its target: they contain -Tc
    return _checked([name for name, _, _ in rows], inputs, [-float(t) for *_, t in rows], paths[0])


def _complete(file):
    for row in csv.DictReader(file):
        if None in row.values():
            raise ValueError("a row is incomplete")
        yield row


def _from_cif(text):
    from pymatgen.core import Structure

    try:
        crystal = read_crystal(text, notes=[])
    except (TypeError, ValueError) as error:
        return error  # raised by _check_structure, with the row's id
    if not isinstance(crystal, Crystal):
        return ValueError("a composition without a structure")
    species = [dict(crystal.species[kind]) for kind in crystal.kinds]
    return Structure(crystal.lattice, species, crystal.positions)


def _read_vacancies(paths, verbose):
    from tqdm.auto import tqdm

    (path,) = paths
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            records = json.load(file)
        numbered = [item for item in enumerate(records, start=1) if _is_complete(item[1])]
        bar = tqdm(numbered, desc="crystals with a vacancy", disable=not verbose)
        inputs = [_from_jarvis(record["defective_atoms"]) for _, record in bar]
        # numbered, as the source has some vacancies twice, in cells of different size
        ids = [f"{row:03d}-{r['jid']}-{r['symbol']}" for row, r in numbered]
        values = [record["E_vac"] for _, record in numbered]
    except _DAMAGED as error:
        raise _damage(path, error) from error
    return _checked(ids, inputs, values, path)


def _is_complete(record):
    """Whether every site has its element; in the source, 35 of 545 crystals have too few."""
    atoms = record["defective_atoms"]
    return len(atoms["elements"]) == len(atoms["coords"])


def _from_jarvis(atoms):
    """Build a structure from the dictionary of Atoms of jarvis-tools."""
    from pymatgen.core import Structure

    return Structure(
        atoms["lattice_mat"],
        [element.strip() for element in atoms["elements"]],
        atoms["coords"],
        coords_are_cartesian=atoms["cartesian"],
    )


def _checked(ids, inputs, values, path):
    ids = np.array(ids)
    names, counts = np.unique(ids, return_counts=True)
    if counts.max() > 1:
        raise ValueError(f"{path} has the id {names[counts > 1][0]} more than once")
    target = _check_target(values, ids, "regression", path) + 0.0  # no negative zero
    return ids, _object_array(inputs, _check_structure, ids, path), target


def _damage(path, error):
    return ValueError(f"{path} is damaged ({error!r}): delete it and download it again")
