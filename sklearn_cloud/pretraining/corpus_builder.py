"""Build a training corpus from crystals.

`build_corpus` works in two passes. The first converts crystals to rows and writes each chunk to a
file, so that an interrupted build resumes where it stopped. The second keeps one row for each
formula and space group, and writes the shards.
"""

from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from tqdm.auto import tqdm

from ..crystals.workers import run_in_workers
from ..files import check_plan
from ..symmetry.strings import PARTS, check_options
from .corpus import MANIFEST, Corpus
from .corpus_rows import code_chunk
from .corpus_sources import read_cif_folder, read_structure_table, read_symmetry_table
from .corpus_writer import write_corpus


@dataclass(frozen=True)
class CorpusSource:
    """A source of crystals.

    Parameters
    ----------
    name : str
    items : iterable or path
        Pairs of identifier and crystal (input of `symmetry_string`, a `SymmetryRecord`, or an
        exception, which is counted as dropped); or the path of a folder of crystal files, of a
        structure table (`.tsv`) or of a symmetry table (`.csv`), compressed or not. Files are read
        by the workers. For crystals from OPTIMADE, pass
        `sklearn_cloud.datasets.read_optimade(folder)`.
    licence, url : str, default=""
        Stored in the manifest.

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

    def __iter__(self):
        if not isinstance(self.items, str | Path):
            return iter(self.items)
        path = Path(self.items)
        if path.is_dir():
            return read_cif_folder(path)
        if ".tsv" in path.suffixes:
            return read_structure_table(path)
        if ".csv" in path.suffixes:
            return read_symmetry_table(path)
        raise ValueError(
            f"source {self.name!r}: {str(path)!r} is neither a folder of crystal files nor a .tsv "
            f"or .csv table"
        )


def build_corpus(
    folder,
    sources,
    *,
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
        Folder of the corpus. An interrupted build is resumed; a finished one is returned.
    sources : sequence of CorpusSource
        Read one after the other. Of several crystals with the same formula and space group, the
        one with the smallest volume per atom is kept, or the first if no volume is known.
    sites : {"set", "orbits"}, default="set"
        Form of the strings. Records without coordinates are always written as sets.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    max_tokens : int, default=128
        Longer strings are dropped.
    chunk_size : int, default=2000
        Crystals per file of the first pass; an interruption loses at most one chunk per worker.
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
        If an option is invalid, a source cannot be read, no crystals are left, or the folder
        contains a build with other options.

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
    options = {"sites": sites, "symprec": symprec, "max_tokens": max_tokens}
    plan = {**options, "chunk_size": chunk_size, "sources": [_describe(s) for s in sources]}
    check_plan(folder / "build.json", plan, "corpus")
    if not (folder / MANIFEST).exists():
        (folder / "chunks").mkdir(exist_ok=True)
        chunks = _code_sources(folder / "chunks", sources, options, chunk_size, n_jobs, verbose)
        write_corpus(folder, chunks, plan, shard_rows)
    return Corpus(folder)


def _describe(source):
    items = Path(source.items).name if isinstance(source.items, str | Path) else "in memory"
    return {**vars(source), "items": items}


def _code_sources(folder, sources, options, chunk_size, n_jobs, verbose):
    """First pass: write one file per chunk of crystals, unless it exists."""
    paths = []

    def tasks():
        for number, source in enumerate(sources):
            items = iter(source)
            for index in count():
                chunk = list(islice(items, chunk_size))
                if not chunk:
                    break
                path = folder / f"{number:02d}-{index:06d}.npz"
                paths.append(path)
                if not path.exists():
                    yield path, number, chunk, options

    with tqdm(disable=not verbose, unit="chunk") as bar:
        for _ in run_in_workers(code_chunk, tasks(), n_jobs, ordered=False):
            bar.update()
    return paths
