"""Crystals from uploaded files and typed formulas.

What strangers send is read from a folder of its own, under a name chosen here. No name, text or
cell that they wrote is ever used as a path.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..crystals.collection import STRUCTURE_COLUMNS
from ..crystals.crystal import Crystal, Formula
from ..crystals.crystal_files import CRYSTAL_SUFFIXES, OPENERS, read_text, split_cif, suffix_of
from ..crystals.errors import CrystalError
from ..crystals.formulas import read_formula
from ..crystals.limits import LARGEST_FILE
from ..crystals.reading import read_crystal
from ..crystals.rows import BAD_ROW

#: Kinds of files that are read, by their suffix; POSCAR and CONTCAR count as `.vasp`.
SUFFIXES = (*CRYSTAL_SUFFIXES, ".json")
_EXAMPLES = (3, 50, 200)  # rows of the example crystals
_LONGEST_NAME = 80  # characters
_FORMULA_SIGNS = ("=", "+", "-", "@")  # a spreadsheet runs a cell that begins with one


class UploadLimits(NamedTuple):
    """Limits on what is read at a time.

    Attributes
    ----------
    files : int
        Number of files.
    megabytes : int
        Size of a file.
    crystals : int
        Number of crystals and formulas; a file may have several crystals.
    """

    files: int = 100
    megabytes: int = 10
    crystals: int = 500


class Upload(NamedTuple):
    """An uploaded file.

    Attributes
    ----------
    name : str
        As the browser sent it.
    data : bytes
    """

    name: str
    data: bytes


class Entry(NamedTuple):
    """A crystal or formula that was read, or the reason why it was not.

    Attributes
    ----------
    name : str
        Name of the file, or the formula.
    crystal : Crystal, Formula or None
    problem : str
        Why it cannot be read; empty if it was read.
    notes : tuple of str
        What the reader changed.
    """

    name: str
    crystal: Crystal | Formula | None = None
    problem: str = ""
    notes: tuple = ()


def read_uploads(files, formulas="", limits=None):
    """Read uploaded files and typed formulas.

    Parameters
    ----------
    files : list of Upload
    formulas : str, default=""
        One formula per line, or several separated by commas.
    limits : UploadLimits, default=None
        None takes the default ones.

    Returns
    -------
    list of Entry
        The files in their order, then the formulas. What cannot be read, or exceeds a limit, has
        a `problem`.
    """
    limits = UploadLimits() if limits is None else limits
    entries = []
    for number, file in enumerate(files, 1):
        if number > limits.files:
            problem = f"only {limits.files} files are read at a time: upload the others later"
            entries.append(Entry(f"{len(files) - limits.files} more files", None, problem))
            break
        entries += read_upload(file, limits)
    typed = [text.strip() for text in formulas.replace(",", "\n").splitlines()]
    entries += [_read_formula(text) for text in typed if text]
    return _first_crystals(entries, limits.crystals)


def read_upload(file, limits):
    """Return the entries of one file: a trajectory or a CIF may have several crystals."""
    name = clean_name(file.name)
    try:
        suffix = _check(file, limits)
    except CrystalError as error:
        return [Entry(name, None, str(error))]
    with TemporaryDirectory(prefix="sklearn-cloud-") as folder:
        path = Path(folder, f"upload{suffix}")
        path.write_bytes(file.data)
        try:
            items = _crystals_of(path, suffix)
        except (*BAD_ROW, ImportError) as error:
            return [Entry(name, None, _say(error, path, name))]
        items = items[: limits.crystals + 1]
        names = [name] if len(items) == 1 else [f"{name}, {n}" for n in range(1, len(items) + 1)]
        return [_read_item(item, one, path) for one, item in zip(names, items, strict=True)]


def read_examples():
    """Return the entries of a few crystals of the package."""
    from ..datasets import load_example

    structures = load_example().structures
    found = [structures[row] for row in _EXAMPLES]
    return [Entry(f"example {one.reduced_formula}", read_crystal(one)) for one in found]


def clean_name(name):
    """Return the last part of a file name, for display and tables only.

    Examples
    --------
    >>> from sklearn_cloud.app.uploads import clean_name
    >>> clean_name("../../home/NaCl.cif")
    'NaCl.cif'
    """
    return clean_text(_last_part(name)) or "file without a name"


def clean_text(text):
    """Return text that others wrote as the cell of a table, short and without control characters.

    An apostrophe in front keeps spreadsheets from running it.
    """
    text = "".join(sign for sign in text if sign.isprintable()).strip()
    text = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def _last_part(name):
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _check(file, limits):
    """Return the suffix of a file that may be read.

    Raises
    ------
    CrystalError
        If it is too large or of another kind.
    """
    if len(file.data) > limits.megabytes * 1_000_000:
        raise CrystalError(
            f"the file has {len(file.data) / 1e6:.1f} MB, more than {limits.megabytes}"
        )
    last = _last_part(file.name)
    if last.lower().endswith(tuple(OPENERS)):
        raise CrystalError("the file is compressed: unpack it first")
    suffix = suffix_of(last)
    if suffix not in SUFFIXES:
        raise CrystalError(
            f"unknown kind of file: the name must end in {', '.join(SUFFIXES)}, or be POSCAR or "
            "CONTCAR"
        )
    return suffix


def _crystals_of(path, suffix):
    """Return the crystals in a file: paths, text of CIF blocks, dictionaries or Atoms."""
    if suffix in (".cif", ".mcif"):
        blocks = split_cif(read_text(path, strict=False, limit=LARGEST_FILE))
        return [text for _, text in blocks] if len(blocks) > 1 else [path]
    if suffix in (".xyz", ".extxyz"):
        from ..crystals.ase_files import read_trajectory

        frame = read_trajectory(path)
    elif suffix == ".json":
        from ..crystals.json_tables import read_json

        frame = read_json(path)
    else:
        return [path]
    column = next((name for name in STRUCTURE_COLUMNS if name in frame.columns), None)
    if column is None or not len(frame):
        raise CrystalError("there is no crystal structure in the file")
    return frame[column].tolist()


def _read_item(item, name, path):
    """Read a crystal; text from a file must be a crystal itself, not the name of another file."""
    notes = []
    try:
        if not isinstance(item, Path | dict) and not hasattr(item, "get_scaled_positions"):
            if not isinstance(item, str) or "\n" not in item.strip():
                raise CrystalError("there is no crystal structure in this row of the file")
        crystal = read_crystal(item, notes=notes)
    except (*BAD_ROW, ImportError) as error:
        return Entry(name, None, _say(error, path, name))
    return Entry(name, crystal, "", tuple(notes))


def _read_formula(text):
    """Read a formula; `read_crystal` would take the name of a file for that file."""
    notes = []
    try:
        crystal = read_formula(text, notes)
    except CrystalError as error:
        return Entry(clean_text(text), None, str(error))
    return Entry(clean_text(text), crystal, "", tuple(notes))


def _first_crystals(entries, most):
    if len(entries) <= most:
        return entries
    problem = f"only {most} crystals are read at a time: upload the others later"
    return [*entries[:most], Entry("more crystals", None, problem)]


def _say(error, path, name):
    """Return the message of an error; a name in front says nothing new in the row of the file."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.replace(str(path), name).replace(str(path.parent), "")
    return text.removeprefix(f"'{name}' ")
