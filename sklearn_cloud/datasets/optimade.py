"""Download structures from the OPTIMADE federation of materials databases."""

import time
import warnings
from pathlib import Path

from ..downloads import get_data_home
from .optimade_rows import GEOMETRY, make_crystal
from .optimade_store import Store, database_name, open_parquet

OPTIMADE_PROVIDERS = {
    "aflow": "AFLOW",
    "alexandria": "Alexandria",
    "cmr": "Computational Materials Repository, with C2DB",
    "cod": "Crystallography Open Database",
    "jarvis": "JARVIS",
    "mcloud": "Materials Cloud",
    "mpds": "Materials Platform for Data Science",
    "mp": "Materials Project",
    "mpdd": "Material-Property-Descriptor Database",
    "mpod": "Material Properties Open Database",
    "nmd": "NOMAD",
    "odbx": "open database of xtals",
    "omdb": "Open Materials Database",
    "oqmd": "Open Quantum Materials Database",
}
"""Registered ids of the providers that CLOUD was pre-trained on (section A.2.2 of the paper)."""

ROWS_AT_ONCE = 256


def fetch_optimade(
    providers,
    *,
    filter=None,
    data_home=None,
    page_limit=100,
    max_results=None,
    rows_per_file=2000,
    restart=False,
    retries=5,
    timeout=60,
    verbose=0,
):
    """Download structures from OPTIMADE providers into Parquet files.

    Each database has its own folder, ``optimade/<address of the database>`` in `data_home`, with
    files that are written once and a small ``_state.json`` with the link to the next page. A call
    resumes where the previous one stopped, for whatever reason, and does nothing if the download is
    complete. If a database fails, the error is reported, its stored entries are kept, and the next
    database is downloaded.

    Parameters
    ----------
    providers : str or iterable of str
        Ids of registered providers, such as "mp" or "oqmd" (all of them in
        ``OPTIMADE_PROVIDERS``; also "c2db" and "nomad"), whose databases are all downloaded; or
        base URLs of databases, such as
        "https://optimade.materialsproject.org".
    filter : str, default=None
        OPTIMADE filter, such as ``'elements HAS "Fe" AND nelements=2'``. A folder has one
        query: use another `data_home` for another filter.
    data_home : str or path-like, default=None
        Folder of the data files; see `get_data_home`.
    page_limit : int, default=100
        Number of entries per page. Providers refuse more than some hundreds.
    max_results : int, default=None
        Stop a database after the page that reaches this number of crystals.
    rows_per_file : int, default=2000
        Number of entries per file. Entries are also written at every stop and error; only a killed
        process loses those in memory, and downloads them again.
    restart : bool, default=False
        Start again at the first page, to add new entries, or if a provider no longer accepts the
        stored link. Stored entries are kept, and no entry is stored twice.
    retries : int, default=5
        Number of attempts per request, with pauses of 1, 2, 4, ... seconds or as long as the
        server asks. Permanent errors (such as a refused filter) are not retried.
    timeout : float, default=60
        Seconds to wait for an answer.
    verbose : int, default=0
        If not 0, show a progress bar per database.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        folder : pathlib.Path
            Folder of the databases, for `read_optimade`.
        report : pandas.DataFrame
            One row per database: `provider`, `database` (base URL), `stored` (crystals),
            `skipped` (entries that are not crystals, {reason: count}), `expected` (number of
            entries announced by the provider, or None), `complete`, and `error` (None if there
            was none or `max_results` was reached).
        complete : bool
            Whether every database is complete.

    Warns
    -----
    UserWarning
        If a database is incomplete for another reason than `max_results`.

    Raises
    ------
    ImportError
        If the extra ``optimade`` is not installed.
    ValueError
        If a provider is not registered, the filter cannot be parsed, or a folder has another query
        or is damaged.
    RuntimeError
        If another process is downloading into a folder.

    Notes
    -----
    An entry is a crystal if it has three independent cell vectors, a position and a species for
    each of its sites (as many as it announces), and only elements and vacancies on them. Disorder
    is stored as partial occupancies. Layers (two periodic dimensions) are stored with their cell;
    molecules and chains are not crystals, nor are structures with assemblies, implicit atoms,
    attached groups or unknown positions. An entry that is not a crystal has a row without geometry,
    and the reason in the column `problem`.

    The columns are `id`, `provider`, `database`, `chemical_formula_reduced`,
    `lattice_vectors` and `cartesian_site_positions` (angstrom), `species_at_sites`, `species`
    (name, chemical_symbols, concentration), `nperiodic_dimensions`, `last_modified`,
    `licence` (as the provider states it, null if it does not), `source_url`, `problem`;
    ``pandas.read_parquet`` reads the folder of a database. The ids of a database are kept in
    memory during its download, about 0.2 GB per million.

    References
    ----------
    .. [1] M. L. Evans et al., "Developments and applications of the OPTIMADE API for materials
       discovery, design, and data exchange", Digital Discovery 3, 1509 (2024).
       doi:10.1039/D4DD00039K

    Examples
    --------
    >>> from sklearn_cloud.datasets import fetch_optimade, read_optimade
    >>> iron = fetch_optimade("oqmd", filter='elements HAS ONLY "Fe"')  # doctest: +SKIP
    >>> for identifier, crystal in read_optimade(iron.folder):  # doctest: +SKIP
    ...     print(identifier, crystal.composition)
    """
    import pandas as pd
    from sklearn.utils import Bunch

    client = _import_client()
    if filter is not None:
        client.check_filter(filter)
    folder = get_data_home(data_home) / "optimade"
    query = dict(filter=filter, page_limit=page_limit, tries=retries, timeout=timeout)
    report = []
    for provider, base_url, error in client.find_databases(providers, retries):
        if base_url is None:
            report.append(_report_line(provider, None, None, error))
            continue
        database = client.Database(base_url, **query)
        store = (folder / database_name(base_url), base_url, filter, rows_per_file)
        report.append(_fetch_database(database, store, provider, max_results, restart, verbose))
    _warn_if_incomplete(report)
    report = pd.DataFrame(report).astype({"expected": "Int64"})
    return Bunch(folder=folder, report=report, complete=bool(report["complete"].all()))


def read_optimade(folder):
    """Read the crystals stored by `fetch_optimade`, a few at a time.

    Parameters
    ----------
    folder : str or path-like
        The folder returned by `fetch_optimade`, or that of one database.

    Yields
    ------
    identifier : str
        Address of the database without ``https://``, a slash, and the id of the entry.
    crystal : sklearn_cloud.crystals.crystal.Crystal
        The crystal as described by the provider; cell and positions are not checked.

    Raises
    ------
    ImportError
        If the extra ``optimade`` is not installed.
    FileNotFoundError
        If there is no such folder, or it is empty.
    ValueError
        If a file is damaged.

    Examples
    --------
    After a download with `fetch_optimade`:

    >>> from sklearn_cloud.datasets import read_optimade
    >>> for identifier, crystal in read_optimade("optimade"):  # doctest: +SKIP
    ...     print(identifier, crystal.composition)
    """
    _import_client(only_parquet=True)
    paths = sorted(Path(folder).rglob("part-*.parquet"))
    if not paths:
        raise FileNotFoundError(f"there are no structures of fetch_optimade in {str(folder)!r}")
    columns = ["database", "id", "problem", *GEOMETRY]
    for path in paths:
        with open_parquet(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=columns):
                for row in batch.to_pylist():
                    if row["problem"] is None:
                        address = row["database"].split("://", 1)[-1]
                        yield f"{address}/{row['id']}", make_crystal(row)


def _import_client(only_parquet=False):
    try:
        import pyarrow.parquet  # noqa: F401

        if only_parquet:
            return None
        from . import optimade_client
    except ImportError as error:
        raise ImportError(
            f"downloads from OPTIMADE require further packages ({error}): "
            "pip install 'sklearn-cloud[optimade]'"
        ) from error
    return optimade_client


def _fetch_database(database, where, provider, max_results, restart, verbose):
    from filelock import FileLock, Timeout
    from tqdm.auto import tqdm

    folder = where[0]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "_lock", timeout=0):
            store = Store(*where)
            name = provider or folder.name
            with tqdm(unit=" structures", desc=name, disable=not verbose) as bar:
                bar.update(store.received)
                try:
                    error = _walk(database, store, provider, max_results, restart, bar)
                finally:  # received entries are kept in any case
                    store.flush()
    except Timeout as error:
        raise RuntimeError(f"another process is downloading into {folder}") from error
    return _report_line(provider, database.base_url, store, error)


def _walk(database, store, provider, max_results, restart, bar):
    """Follow the pages to the end or to an error, which is returned."""
    if restart or (store.state["ended"] and not store.complete):
        store.begin_again()
    visited = set()
    while not store.state["ended"] and (max_results is None or store.counts[None] < max_results):
        link = store.state["next_link"]
        if link in visited:
            return f"the links between pages form a cycle: {link}"
        visited.add(link)
        try:
            page = database.page(link)
        except ConnectionError as error:
            return str(error)
        if store.state["provider"] is None:
            store.state["provider"] = page.provider or provider or ""
            store.state["licence"] = database.licence()
        if not page.entries and page.next_link and store.lacks(page.expected):
            return f"a page before the last one is empty: {link or database.base_url}"
        store.add(page)
        bar.total = store.state["expected"]
        bar.update(store.received - bar.n)
        if page.delay:
            time.sleep(page.delay)
    if store.state["ended"] and not store.complete:
        nameless = store.state["nameless"]
        return "the pages ended too early" + f", {nameless} entries without an id" * bool(nameless)
    return None


def _report_line(provider, base_url, store, error):
    return dict(
        provider=provider or (store and store.state["provider"]),
        database=base_url,
        stored=store.counts[None] if store else 0,
        skipped=store.skipped if store else {},
        expected=store.state["expected"] if store else None,
        complete=store.complete if store else False,
        error=error,
    )


def _warn_if_incomplete(report):
    lines = []
    for line in report:
        if line["error"]:
            came = line["stored"] + sum(line["skipped"].values())
            expected = "an unknown number of" if line["expected"] is None else line["expected"]
            name = line["database"] or line["provider"]
            lines.append(f"{name}: {came} of {expected} entries received; {line['error']}")
    if lines:
        warnings.warn(
            "the download is incomplete. Stored entries are kept: call again to resume, or with "
            "restart=True to start at the first page and add missing entries.\n" + "\n".join(lines),
            stacklevel=3,
        )
