"""Symmetry strings of tables that are larger than the memory: Parquet in, Parquet out."""

import logging
import warnings
from pathlib import Path

from tqdm.auto import tqdm

from ..crystals.parquet_files import (
    find_row_groups,
    hash_footers,
    import_parquet,
    open_parquet,
    read_row_group,
)
from ..crystals.partitions import find_crystal_column, read_collection
from ..crystals.row_messages import same_kind
from ..crystals.workers import run_in_workers
from ..files import atomic_write, check_plan, locked

# Folder readers such as pandas.read_parquet ignore names that start with an underscore.
PLAN = "_strings.json"
COLUMN = "symmetry_string"

logger = logging.getLogger(__name__)


def write_strings(source, folder, transformer=None, *, column=None, n_jobs=None, verbose=0):
    """Write the symmetry strings of a Parquet table, partition by partition.

    A partition is a row group of a Parquet file. Each becomes a file in the output folder, with
    the columns of the table (without the structures) and those of the transformer. Only one
    partition per worker is in memory.

    A file gets its name when it is complete. If a run or one of its workers is killed, the same
    call resumes with the partitions that are missing.

    Parameters
    ----------
    source : str or path
        A Parquet file, or a folder with Parquet files.
    folder : str or path
        Folder of the output, `part-000000.parquet` and so on, in the order of the source. One
        call at a time may write it.
    transformer : SymmetryStringTransformer, default=None
        Its parameters are those of the strings; None uses the defaults. With `on_error="warn"`,
        the strings of crystals that cannot be read are null.
    column : str, default=None
        Column with the crystals: CIF text, paths of files (relative to the Parquet file),
        structures or formulas. None takes the first of structure, cif, atoms, file, path,
        filename, formula, composition.
    n_jobs : int, default=None
        Number of joblib workers, which read and write the files themselves; None means 1 unless in
        a `joblib.parallel_config` context, such as that of a Dask cluster.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    list of pathlib.Path
        The files of the output, in order.

    Raises
    ------
    ImportError
        If pyarrow is missing: `pip install 'sklearn-cloud[parquet]'`.
    ValueError
        If there is no such table or column, a crystal cannot be read, or the folder has other
        files, or strings of another table or with other parameters.
    RuntimeError
        If workers are lost.

    See Also
    --------
    sklearn_cloud.SymmetryStringTransformer : Strings of crystals in memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from sklearn_cloud.symmetry import write_strings
    >>> folder = TemporaryDirectory()
    >>> table = pd.DataFrame({"id": ["a", "b"], "formula": ["NaCl", "MgO"]})
    >>> table.to_parquet(f"{folder.name}/crystals.parquet", row_group_size=1)
    >>> paths = write_strings(f"{folder.name}/crystals.parquet", f"{folder.name}/strings")
    >>> [path.name for path in paths]
    ['part-000000.parquet', 'part-000001.parquet']
    >>> pd.read_parquet(f"{folder.name}/strings")["symmetry_string"].tolist()
    ['Na 0.5 Cl 0.5', 'Mg 0.5 O 0.5']
    >>> folder.cleanup()
    """
    from sklearn.base import clone

    from .transformer import SymmetryStringTransformer

    transformer = clone(transformer or SymmetryStringTransformer()).set_output(transform="default")
    transformer.set_params(n_jobs=1, verbose=0)._check_parameters()
    source, folder = Path(source), Path(folder)
    groups = find_row_groups(source)
    column = find_crystal_column(groups[0], column)
    keep = column in read_collection(groups[0], column).frame
    _check_folder(folder)
    plan = {**transformer.get_params(), "parts": list(transformer.parts), "column": column}
    plan["table"] = hash_footers(source)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):  # a second call waits, and finds the files
        check_plan(folder / PLAN, plan, "table of strings")
        paths = [folder / f"part-{number:06d}.parquet" for number in range(len(groups))]
        tasks = [(g, path, column, keep, transformer) for g, path in zip(groups, paths)]
        _write_missing(folder, tasks, n_jobs, verbose)
    return paths


def _write_missing(folder, tasks, n_jobs, verbose):
    """Write the partitions that do not exist yet."""
    for leftover in folder.glob(".part-*.part"):
        leftover.unlink(missing_ok=True)
    missing = [task for task in tasks if not task[1].exists()]
    with tqdm(
        total=len(tasks), initial=len(tasks) - len(missing), disable=not verbose, unit="partition"
    ) as bar:
        for path, texts in run_in_workers(_write_partition, missing, n_jobs, ordered=False):
            logger.info("written: %s", path)
            for text in texts:
                warnings.warn(text, stacklevel=3)
            bar.update()


def count_strings(paths):
    """Return the numbers of rows and of missing strings of written partitions."""
    rows = missing = 0
    for path in paths:
        with open_parquet(path) as opened:
            rows += opened.metadata.num_rows
            place = opened.schema_arrow.names.index(COLUMN)
            for number in range(opened.num_row_groups):
                missing += opened.metadata.row_group(number).column(place).statistics.null_count
    return rows, missing


def _check_folder(folder):
    """Raise ValueError if the output folder has files, but not those of an earlier call."""
    if folder.exists() and not (folder / PLAN).exists() and any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} contains other files: choose another folder.")


def _write_partition(group, path, column, keep, transformer):
    """Write the strings of one row group; return the path and the warnings of its crystals."""
    items = read_collection(group, column).items
    # an empty cell: the transformer says that it is no crystal
    items = [None if isinstance(item, Exception) else item for item in items]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rows = transformer.transform(items)
        except (TypeError, ValueError) as error:
            raise same_kind(error)(f"{group}: {error}") from error
    del items
    with open_parquet(group.path) as opened:
        names = opened.schema_arrow.names
    table = read_row_group(group, [name for name in names if keep or name != column])
    table = _add_columns(table, transformer, rows)
    with atomic_write(path) as temporary:
        import_parquet().write_table(table, temporary)
    return path, [f"{group}: {warning.message}" for warning in caught]


def _add_columns(table, transformer, rows):
    """Return the table with the columns of the transformer."""
    import pyarrow

    names = transformer.get_feature_names_out()
    for name, values in zip(names, rows.reshape(-1, len(names)).T):
        if name in table.column_names:
            raise ValueError(f"the table already has a column {name!r}: rename or remove it.")
        kind = pyarrow.string() if name == COLUMN else pyarrow.float64()
        table = table.append_column(name, pyarrow.array(list(values), kind, from_pandas=True))
    return table
