"""Find crystal files and read their text."""

import bz2
import gzip
import lzma
import os
import re
import zlib
from pathlib import Path

from .errors import CrystalError

OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGE = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)
#: Suffixes of files with one crystal each, compressed or not; POSCAR and CONTCAR count as .vasp.
CRYSTAL_SUFFIXES = (".cif", ".mcif", ".vasp", ".poscar", ".xsf", ".xyz", ".extxyz")
LONGEST_NAME = 4096  # characters of a path
_HEAD = 1000  # bytes at the start that show the kind of a file

_VASP_NAME = re.compile(r"(POSCAR|CONTCAR)([._-].*)?", re.IGNORECASE)
_CIF_BLOCK = re.compile(r"^data_(\S*)", re.IGNORECASE | re.MULTILINE)
_CIF_TEXT_FIELD = re.compile(r"^;.*?^;", re.MULTILINE | re.DOTALL)


def as_path(item):
    """Return a `Path` if a string names an existing file, else the item itself.

    Parameters
    ----------
    item : object

    Returns
    -------
    object
    """
    if not isinstance(item, str) or len(item) > LONGEST_NAME or "\n" in item:
        return item
    return Path(item) if os.path.isfile(item) else item


def suffix_of(path):
    """Return the suffix of the format in lower case: `.cif` for `NaCl.cif.gz`."""
    path = Path(path)
    name = path.stem if path.suffix.lower() in OPENERS else path.name
    suffix = Path(name).suffix.lower()
    known = suffix in CRYSTAL_SUFFIXES
    return ".vasp" if not known and _VASP_NAME.fullmatch(name) else suffix


def is_crystal_file(path):
    """Whether the name is that of a crystal file."""
    return suffix_of(path) in CRYSTAL_SUFFIXES


def search_folder(folder):
    """Find the crystal files of a folder and its subfolders, except hidden ones.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    files : list of pathlib.Path
        Sorted. JSON files are included only if there are no others. Of a POSCAR and a non-empty
        CONTCAR in the same folder, only the CONTCAR is included: it is the relaxed crystal.
    others : list of str
        Suffixes (or names) of the other files, sorted, without repetitions.

    Raises
    ------
    ValueError
        If there is no such folder, or it has no crystal files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r}.")
    everything = sorted(_walk(folder))
    files = [path for path in everything if is_crystal_file(path)]
    files = files or [path for path in everything if suffix_of(path) == ".json"]
    files = _without_unrelaxed(files)
    if not files:
        found = _list_kinds(everything)
        raise ValueError(
            f"there are no crystal files in the folder {str(folder)!r}, only others "
            f"({', '.join(found[:5])}). Crystal files end in {', '.join(CRYSTAL_SUFFIXES)} or "
            f".json, or are named POSCAR or CONTCAR."
            if found
            else f"there are no crystal files in the folder {str(folder)!r}: it is empty."
        )
    return files, _list_kinds(set(everything) - set(files))


def _without_unrelaxed(files):
    """Keep one of a POSCAR and a CONTCAR in the same folder."""
    starts = {path.parent for path in files if path.name == "POSCAR"}
    ends = {path.parent for path in files if path.name == "CONTCAR" and path.stat().st_size}
    passed_over = {folder / "POSCAR" for folder in ends}
    passed_over |= {folder / "CONTCAR" for folder in starts - ends}
    return [path for path in files if path not in passed_over]


def _walk(folder):
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        yield from (Path(here, name) for name in names if not _is_hidden(name))


def _is_hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def _list_kinds(paths):
    return sorted({path.suffix or path.name for path in paths})


def read_text(path, strict=True, limit=None):
    """Return the text of a file, compressed or not.

    Parameters
    ----------
    path : pathlib.Path
        In UTF-8, or in UTF-16 with a byte order mark.
    strict : bool, default=True
        Whether invalid bytes are an error; otherwise they are replaced.
    limit : int, default=None
        Largest number of bytes after decompression.

    Returns
    -------
    str

    Raises
    ------
    CrystalError
        If the file is missing, damaged, empty or too large, or an HTML page, a Git LFS pointer, a
        pipe or a device.
    """
    data = read_bytes(path, limit)
    _check_head(data[:_HEAD], path)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding, errors="strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise CrystalError(
            f"{str(path)!r} is not UTF-8 text ({error}): save it in UTF-8"
        ) from error


def read_bytes(path, limit=None):
    """Return the bytes of a file, decompressed.

    Parameters
    ----------
    path : str or path
    limit : int, default=None
        Largest number of bytes after decompression.

    Raises
    ------
    CrystalError
        If it is missing, damaged, truncated or too large, or a pipe or a device, which might never
        end.
    """
    path = Path(path)
    check_regular(path)
    try:
        with OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
            data = file.read() if limit is None else file.read(limit + 1)
    except FileNotFoundError:
        raise CrystalError(f"there is no file {str(path)!r}") from None
    except DAMAGE as error:
        check_content(path)
        raise CrystalError(f"{str(path)!r} is damaged or truncated: {error}") from error
    if limit is not None and len(data) > limit:
        raise CrystalError(f"{str(path)!r} has more than {limit} bytes: split it, if it can be")
    return data


def check_content(path):
    """Raise CrystalError if a file is empty, an HTML page, an LFS pointer, or no regular file."""
    check_regular(path)
    with open(path, "rb") as file:
        _check_head(file.read(_HEAD), path)


def check_regular(path):
    """Raise CrystalError if a path is a pipe or a device, which might never end, or a folder."""
    if path.exists() and not path.is_file():
        raise CrystalError(f"{str(path)!r} is not a regular file")


def _check_head(head, path):
    start = head.lstrip().lower()
    if not start:
        raise CrystalError(f"{str(path)!r} is empty")
    if start.startswith((b"<!doctype html", b"<html")):
        raise CrystalError(
            f"{str(path)!r} is an HTML page, maybe from a failed download: download it again"
        )
    if start.startswith(b"version https://git-lfs"):
        raise CrystalError(
            f"{str(path)!r} is a Git LFS pointer, not the file itself: run `git lfs pull`"
        )


def split_cif(text):
    """Return (name, text) of each data block with atoms."""
    outline = _CIF_TEXT_FIELD.sub(lambda match: " " * len(match[0]), text)
    starts = [(match.start(), match[1]) for match in _CIF_BLOCK.finditer(outline)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [
        (name, text[start:end])
        for (start, name), end in zip(starts, ends)
        if "_atom_site_" in outline[start:end].lower()
    ]
