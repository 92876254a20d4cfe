"""A training corpus: distinct crystals as token ids in memory-mapped shards."""

import hashlib
import json
import zlib
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np

from ..crystals.geometry import GEOMETRY
from ..files import sha256_of
from .language import SymmetryLanguage

MANIFEST = "corpus.json"
FORMAT_VERSION = 1
#: Arrays of a shard: `tokens` and `distances` are the concatenated rows, `ends` has the end of each
#: row, `geometry` one line of numbers per row.
ARRAYS = ("tokens", "distances", "ends", "geometry")
_MOST_OPEN = 256  # arrays of all corpora of a process: each takes one file descriptor


class Corpus:
    """Read a corpus without loading it into memory.

    Parameters
    ----------
    folder : str or path
        Folder written by `build_corpus`.
    verify : bool, default=True
        Whether to check the checksums of the shards first.
    language : Language, default=None
        The one it was built with; None means symmetry strings.

    Attributes
    ----------
    manifest : dict
        Options, sources with their licences, counts of kept and dropped crystals, statistics.
    lengths : ndarray of shape (n_rows,), int
        Tokens per row.

    Raises
    ------
    ValueError
        If the folder is not a corpus, or a shard is missing, damaged, or coded with another
        vocabulary.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.pretraining.corpus import Corpus
    >>> from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> with TemporaryDirectory() as folder:
    ...     _ = build_corpus(folder, [CorpusSource("by hand", [("CsCl", cscl)])], sites="orbits")
    ...     corpus = Corpus(folder)
    ...     corpus.lengths.tolist(), corpus.manifest["rows"]
    ([31], 1)
    """

    def __init__(self, folder, *, verify=True, language=None):
        self.folder = Path(folder)
        self.language = language or SymmetryLanguage()
        self.manifest = read_manifest(self.folder, self.language)
        lengths = [_check_shard(self.folder, shard, verify) for shard in self.manifest["shards"]]
        self._first_rows = np.concatenate([[0], np.cumsum([len(part) for part in lengths])])
        self.lengths = np.concatenate(lengths)

    def __len__(self):
        return int(self._first_rows[-1])

    def __getitem__(self, row):
        """Return token ids, nearest-neighbour distance per token, and geometry of one row."""
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} is out of range for a corpus of {len(self)} rows")
        shard = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        row -= self._first_rows[shard]
        tokens, distances, ends, geometry = (self._array(shard, name) for name in ARRAYS)
        span = slice(int(ends[row - 1]) if row else 0, int(ends[row]))
        return tokens[span], distances[span], geometry[row]

    @property
    def fingerprint(self):
        """Return a text that differs for corpora with different content."""
        return hashlib.sha256(json.dumps(self.manifest["shards"]).encode()).hexdigest()

    def iter_tokens(self):
        """Token ids of the rows, one array per row and in order: faster than row by row."""
        for shard in range(len(self.manifest["shards"])):
            tokens, start = np.asarray(self._array(shard, "tokens")), 0
            for end in self._array(shard, "ends").tolist():
                yield tokens[start:end]
                start = end

    def _array(self, shard, name):
        entry = self.manifest["shards"][shard]
        return _keep_open(self.folder, entry["name"], name, entry["sha256"][name])


class JoinedCorpus:
    """Several corpora joined into one.

    Parameters
    ----------
    corpora : sequence of Corpus
        For example, the same crystals written as sets and as orbits.
    """

    def __init__(self, corpora):
        self.corpora = list(corpora)
        if not self.corpora:
            raise ValueError("there are no corpora to join")
        self.language = self.corpora[0].language
        if any(corpus.language != self.language for corpus in self.corpora):
            raise ValueError("corpora in different languages cannot be joined")
        self.lengths = np.concatenate([corpus.lengths for corpus in self.corpora])
        self._first_rows = np.cumsum([0, *(len(corpus) for corpus in self.corpora)])
        self.manifest = self.corpora[0].manifest

    def __len__(self):
        return int(self._first_rows[-1])

    def __getitem__(self, row):
        which = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        return self.corpora[which][row - self._first_rows[which]]

    @property
    def fingerprint(self):
        """Return a text that differs for corpora with different content."""
        return " ".join(corpus.fingerprint for corpus in self.corpora)

    def iter_tokens(self):
        """Yield the token ids of all rows in order, faster than by indexing."""
        return chain.from_iterable(corpus.iter_tokens() for corpus in self.corpora)


def held_out_rows(corpus, share):
    """Return the validation rows: all rows of a random share of the compositions.

    Parameters
    ----------
    corpus : Corpus or JoinedCorpus
    share : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_rows,), bool
        Equal for a composition in every corpus, so that a crystal written in two ways, or its
        polymorphs, are never both in training and validation.
    """
    held_out = np.zeros(len(corpus), dtype=bool)
    for row, tokens in enumerate(corpus.iter_tokens()):
        held_out[row] = zlib.crc32(corpus.language.composition(tokens)) < share * 2**32
    return held_out


def read_manifest(folder, language=None):
    """What `build_corpus` wrote of a corpus, or ValueError if the folder has none to be read."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{str(folder)!r} is not a corpus: it has no {MANIFEST}. Build it with build_corpus, "
            f"which also resumes an interrupted build"
        ) from None
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}; build the corpus again") from error
    if not isinstance(manifest, dict):
        raise ValueError(f"{str(path)!r} is not the manifest of a corpus: build the corpus again")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {manifest.get('format_version')}, but this version "
            f"of sklearn-cloud reads {FORMAT_VERSION}: build the corpus again"
        )
    if manifest["vocabulary"] != (language or SymmetryLanguage()).vocabulary_hash:
        raise ValueError(f"the corpus in {str(folder)!r} has another vocabulary: build it again")
    return manifest


@lru_cache(maxsize=_MOST_OPEN)
def _keep_open(folder, shard, array, sha256):
    """The array of a shard; the checksum tells it from that of an earlier corpus there."""
    return _open_array(folder, shard, array)


def _open_array(folder, shard, array):
    path = folder / f"{shard}.{array}.npy"
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def _check_shard(folder, shard, verify):
    """Tokens per row of a shard that is complete, or ValueError."""
    for array in ARRAYS:
        path = folder / f"{shard['name']}.{array}.npy"
        if not path.is_file():
            raise ValueError(f"the corpus in {str(folder)!r} lacks {path.name}: build it again")
        if verify and sha256_of(path) != shard["sha256"][array]:
            raise ValueError(f"{str(path)!r} is damaged: its checksum is wrong; build it again")
    arrays = {name: _open_array(folder, shard["name"], name) for name in ARRAYS}
    rows, tokens = len(arrays["ends"]), len(arrays["tokens"])
    fits = (
        rows == shard["rows"]
        and len(arrays["geometry"]) == rows
        and arrays["geometry"].shape[1] == len(GEOMETRY)
        and len(arrays["distances"]) == tokens
        and (rows == 0 or arrays["ends"][-1] == tokens)
    )
    if not fits:
        raise ValueError(
            f"the arrays of {shard['name']} in {str(folder)!r} are inconsistent: build the corpus "
            f"again"
        )
    return np.diff(arrays["ends"], prepend=0).astype(np.int32)
