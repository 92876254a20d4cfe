"""Files of crystals: which they are, where they are, and the text in them."""

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
_HEAD = 1000  # bytes that tell what a file is

_VASP_NAME = re.compile(r"(POSCAR|CONTCAR)([._-].*)?", re.IGNORECASE)
_CIF_BLOCK = re.compile(r"^data_(\S*)", re.IGNORECASE | re.MULTILINE)
_CIF_TEXT_FIELD = re.compile(r"^;.*?^;", re.MULTILINE | re.DOTALL)


def as_path(item):
    """A `Path` where a string names an existing file, and else the item itself.

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
    """The suffix that tells the format, in lower case: of `NaCl.cif.gz` it is `.cif`."""
    path = Path(path)
    name = path.stem if path.suffix.lower() in OPENERS else path.name
    suffix = Path(name).suffix.lower()
    known = suffix in CRYSTAL_SUFFIXES
    return ".vasp" if not known and _VASP_NAME.fullmatch(name) else suffix


def is_crystal_file(path):
    """Whether the name is that of a file with a crystal."""
    return suffix_of(path) in CRYSTAL_SUFFIXES


def search_folder(folder):
    """Crystal files of a folder and its subfolders, hidden ones passed over.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    files : list of pathlib.Path
        Sorted. JSON files count where there are no others. Where a folder has a POSCAR and a
        CONTCAR that is not empty, the CONTCAR counts: it is the relaxed crystal.
    others : list of str
        Suffixes (or names) of the files that are left alone, sorted, one for each.

    Raises
    ------
    ValueError
        If there is no such folder, or no crystal in it.
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
            f"there are no crystal files in the folder {str(folder)!r} ({', '.join(found[:5])}): "
            f"they end in {', '.join(CRYSTAL_SUFFIXES)} or .json, or are a POSCAR or CONTCAR."
            if found
            else f"there are no crystal files in the folder {str(folder)!r}: it is empty."
        )
    return files, _list_kinds(set(everything) - set(files))


def _without_unrelaxed(files):
    """Of a POSCAR and a CONTCAR in one folder, the one that counts."""
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


def read_text(path, strict=True):
    """Text of a file, compressed or not.

    Parameters
    ----------
    path : pathlib.Path
        In UTF-8, or in UTF-16 with its mark.
    strict : bool, default=True
        Whether other bytes are an error; otherwise they are replaced.

    Returns
    -------
    str

    Raises
    ------
    CrystalError
        If the file is missing, damaged, empty, or something else under this name: an HTML page,
        a Git LFS pointer.
    """
    data = read_bytes(path)
    _check_head(data[:_HEAD], path)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding, errors="strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise CrystalError(
            f"{str(path)!r} is not text in UTF-8 ({error}): save it as such"
        ) from error


def read_bytes(path, limit=None):
    """Content of a file, compressed or not.

    Parameters
    ----------
    path : str or path
    limit : int, default=None
        Most bytes that it may have when it is unpacked.

    Raises
    ------
    CrystalError
        If it is missing, damaged, cut short or too large.
    """
    path = Path(path)
    try:
        with OPENERS.get(path.suffix.lower(), open)(path, "rb") as file:
            data = file.read() if limit is None else file.read(limit + 1)
    except FileNotFoundError:
        raise CrystalError(f"there is no file {str(path)!r}") from None
    except DAMAGE as error:
        check_content(path)
        raise CrystalError(f"{str(path)!r} is damaged or cut short: {error}") from error
    if limit is not None and len(data) > limit:
        raise CrystalError(f"{str(path)!r} has more than {limit} bytes")
    return data


def check_content(path):
    """Raise CrystalError if a file, as it is on the disk, is none of the kind that it is named.

    It is empty, an HTML page, or a Git LFS pointer.
    """
    with open(path, "rb") as file:
        _check_head(file.read(_HEAD), path)


def _check_head(head, path):
    start = head.lstrip().lower()
    if not start:
        raise CrystalError(f"{str(path)!r} is empty")
    if start.startswith((b"<!doctype html", b"<html")):
        raise CrystalError(
            f"{str(path)!r} is an HTML page, perhaps the error page of a download: fetch it again"
        )
    if start.startswith(b"version https://git-lfs"):
        raise CrystalError(
            f"{str(path)!r} is a Git LFS pointer, not the file itself: run `git lfs pull`"
        )


def split_cif(text):
    """(name, text) of each data block that has atoms."""
    outline = _CIF_TEXT_FIELD.sub(lambda match: " " * len(match[0]), text)
    starts = [(match.start(), match[1]) for match in _CIF_BLOCK.finditer(outline)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return [
        (name, text[start:end])
        for (start, name), end in zip(starts, ends)
        if "_atom_site_" in outline[start:end].lower()
    ]
