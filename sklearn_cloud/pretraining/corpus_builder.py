"""Build a training corpus from crystals.

`build_corpus` works in two passes. The first converts crystals to rows and writes each chunk to a
file, so that an interrupted build resumes where it stopped. The second keeps one row for each
formula and space group, and writes the shards.
"""

import shutil
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path

from tqdm.auto import tqdm

from ..crystals.parquet_files import is_parquet
from ..crystals.workers import run_in_workers
from ..files import check_plan, locked
from ..symmetry.strings import PARTS, check_options
from .corpus import MANIFEST, Corpus, read_manifest
from .corpus_contents import hash_digests, hash_items, hash_path
from .corpus_rows import code_chunk
from .corpus_sources import (
    list_partitions,
    read_cif_folder,
    read_structure_table,
    read_symmetry_table,
)
from .corpus_writer import read_digest, write_corpus
from .language import SymmetryLanguage


@dataclass(frozen=True)
class CorpusSource:
    """A source of crystals.

    Parameters
    ----------
    name : str
    items : iterable or path
        Pairs of identifier and crystal (input of `symmetry_string`, a `SymmetryRecord`, or an
        exception, which is counted as dropped); or the path of a folder of crystal files, of a
        Parquet file or a folder of them, of a structure table (`.tsv`) or of a symmetry table
        (`.csv`), compressed or not. Crystal and Parquet files are read by the workers, a Parquet
        file one row group at a time. For crystals from OPTIMADE, pass
        `sklearn_cloud.datasets.read_optimade(folder)`.
    licence, url : str, default=""
        Stored in the manifest.
    column : str, default=None
        Column of a Parquet table with the crystals; None takes the first of structure, cif, atoms,
        file, path, filename.

    Examples
    --------
    >>> from sklearn_cloud.pretraining.corpus_builder import CorpusSource
    >>> source = CorpusSource("by hand", [("rock salt", "NaCl")], licence="CC0")
    >>> list(source)
    [('rock salt', 'NaCl')]
    """

    name: str
    items: object
    licence: str = ""
    url: str = ""
    column: str | None = None

    def __iter__(self):
        if not isinstance(self.items, str | Path):
            return iter(self.items)
        path = Path(self.items)
        if is_parquet(path):
            partitions = list_partitions(path, self.column)
            return chain.from_iterable(partition.read() for partition in partitions)
        if path.is_dir():
            return read_cif_folder(path)
        if ".tsv" in path.suffixes:
            return read_structure_table(path)
        if ".csv" in path.suffixes:
            return read_symmetry_table(path)
        raise ValueError(
            f"source {self.name!r}: {str(path)!r} is neither a folder of crystal files nor a "
            f".parquet, .tsv or .csv table"
        )


def build_corpus(
    folder,
    sources,
    *,
    language=None,
    sites="set",
    symprec=0.1,
    max_tokens=128,
    chunk_size=2000,
    shard_rows=100_000,
    n_jobs=None,
    verbose=0,
):
    """Build a corpus for pre-training from crystals.

    Parameters
    ----------
    folder : str or path
        Where the corpus goes. A build that was interrupted is resumed. A finished one is returned,
        if the sources have the same crystals as then: they are read again for that, and `Corpus`
        opens the folder without.
    sources : sequence of CorpusSource
        Read one after the other. Of several crystals with the same formula and space group, the
        one with the smallest volume per atom is kept, or the first if no volume is known.
    language : Language, default=None
        How crystals are written; None means symmetry strings. A baseline that reads tokens has a
        language of its own, such as `MatInFormerLanguage`.
    sites : {"set", "orbits"}, default="set"
        Form of the symmetry strings. Records without coordinates are always written as sets.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    max_tokens : int, default=128
        Longer strings are dropped.
    chunk_size : int, default=2000
        Crystals per file of the first pass; an interruption loses at most one chunk per worker. A
        row group of a Parquet file is a chunk, whatever its size.
    shard_rows : int, default=100_000
        Rows per shard.
    n_jobs : int, default=None
        Number of joblib workers.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    Corpus

    Raises
    ------
    ValueError
        If an option is invalid, a source cannot be read, no crystal of it is left, or the folder
        has a build with other options or other crystals.

    Notes
    -----
    The de-duplication is that of the CLOUD paper, section A.2.2. Memory grows with the corpus only
    by 12 bytes per crystal, which are used to find duplicates.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> source = CorpusSource("by hand", [("CsCl", cscl)], licence="CC0")
    >>> with TemporaryDirectory() as folder:
    ...     len(build_corpus(folder, [source], sites="orbits"))
    1
    """
    check_options(PARTS, sites, symprec, None, "moyopy")
    for name, value in {"chunk_size": chunk_size, "shard_rows": shard_rows}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}.")
    folder = Path(folder)
    language = language or SymmetryLanguage()
    options = {"sites": sites, "symprec": symprec, "max_tokens": max_tokens}
    plan = {
        "language": language.name,
        **options,
        "chunk_size": chunk_size,
        "sources": [_describe(s) for s in sources],
    }
    plan_of_files = {**plan, **_contents(sources)}
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):  # a second build of it waits, and finds it finished
        check_plan(folder / "build.json", plan_of_files, "corpus")
        if (folder / MANIFEST).exists():
            _check_finished(folder, sources, chunk_size, language)
        else:
            (folder / "chunks").mkdir(exist_ok=True)
            options["language"] = language
            chunks = _code_sources(folder / "chunks", sources, options, chunk_size, n_jobs, verbose)
            write_corpus(folder, chunks, plan, shard_rows, language)
        _remove_leftovers(folder, language)
    return Corpus(folder, language=language)


def _describe(source):
    items = Path(source.items).name if _is_path(source) else "in memory"
    described = {**vars(source), "items": items}
    if source.column is None:  # builds of earlier versions did not have it
        described.pop("column")
    return described


def _is_path(source):
    return isinstance(source.items, str | Path)


def _contents(sources):
    """Checksums of the files, for the plan; nothing can be compared once they are gone."""
    paths = [Path(source.items) if _is_path(source) else None for source in sources]
    if any(path is not None and not path.exists() for path in paths):
        return {}
    return {"crystals": [path and hash_path(path) for path in paths]}


def _check_finished(folder, sources, chunk_size, language):
    """Raise ValueError if a source in memory has other crystals than the corpus was built of."""
    for number, source in enumerate(sources):
        known = read_manifest(folder, language)["sources"][number].get("crystals")
        if known is None or _is_path(source):
            continue
        digests = [hash_items(chunk) for chunk in _split(source, chunk_size)]
        if hash_digests(digests) != known:
            raise _other_crystals(source, folder)


def _other_crystals(source, folder):
    return ValueError(
        f"{str(folder)!r} has a corpus of other crystals under the name {source.name!r}: choose "
        f"another folder, or remove it"
    )


def _remove_leftovers(folder, language):
    """Remove what is not the corpus: chunks, temporary files, shards of an earlier build."""
    shutil.rmtree(folder / "chunks", ignore_errors=True)
    shards = {shard["name"] for shard in read_manifest(folder, language)["shards"]}
    for path in [*folder.glob(".*.part"), *folder.glob("shard-*")]:
        if path.name.partition(".")[0] not in shards:
            path.unlink(missing_ok=True)


def _split(source, size):
    """Yield the chunks of a source: lists of pairs, or partitions that the workers read."""
    if _is_path(source) and is_parquet(source.items):
        yield from list_partitions(source.items, source.column)
        return
    items = iter(source)
    while chunk := list(islice(items, size)):
        yield chunk


def _code_sources(folder, sources, options, chunk_size, n_jobs, verbose):
    """First pass: write one file per chunk of crystals, unless it exists."""
    paths = []

    def tasks():
        for number, source in enumerate(sources):
            for index, chunk in zip(count(), _split(source, chunk_size)):
                path = folder / f"{number:02d}-{index:06d}.npz"
                paths.append(path)
                digest = "" if _is_path(source) else hash_items(chunk)
                if not path.exists():
                    yield path, number, chunk, options, digest
                elif read_digest(path) != digest:
                    raise _other_crystals(source, folder.parent)

    with tqdm(disable=not verbose, unit="chunk") as bar:
        for _ in run_in_workers(code_chunk, tasks(), n_jobs, ordered=False):
            bar.update()
    return paths
