"""Checksums of the crystals that a corpus is built of, to notice others."""

import hashlib
from pathlib import Path

from ..crystals.crystal import Crystal
from ..crystals.crystal_files import search_folder
from ..crystals.parquet_files import hash_footers, is_parquet
from ..crystals.reading import read_crystal
from ..files import sha256_of
from .corpus_sources import SymmetryRecord


def hash_path(path):
    """Checksum of a file, or of the names and contents of the crystal files in a folder.

    Of Parquet files, that of their footers.
    """
    if is_parquet(path):
        return hash_footers(path)
    if not path.is_dir():
        return sha256_of(path)
    files, _ = search_folder(path)
    return hash_digests(f"{file.relative_to(path).as_posix()} {sha256_of(file)}" for file in files)


def hash_items(items):
    """Checksum of identifiers and crystals, as `CorpusSource` has them."""
    return hash_digests(f"{identifier} {_hash_item(item)}" for identifier, item in items)


def hash_digests(digests):
    """Checksum of checksums."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _hash_item(item):
    if isinstance(item, Path) and item.is_file():
        return sha256_of(item)
    if isinstance(item, str | Path | SymmetryRecord | Exception):
        return hashlib.sha256(repr(item).encode()).hexdigest()
    try:
        crystal = item if isinstance(item, Crystal) else read_crystal(item, notes=[])
    except (TypeError, ValueError, OSError) as error:
        return type(error).__name__
    return hashlib.sha256(crystal.key).hexdigest()
