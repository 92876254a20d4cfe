"""Read structures, CIF files and formulas into one plain form, and check them."""

import json
import os
from pathlib import Path

from .cif import read_cif
from .crystal import Crystal, Formula
from .crystal_files import read_bytes, suffix_of
from .dictionaries import read_dictionary
from .errors import CrystalError
from .formulas import read_formula
from .limits import LARGEST_FILE
from .objects import from_ase, from_composition, from_jarvis, from_pymatgen
from .opening import open_item
from .poscar import looks_like_poscar, read_poscar

_LONGEST_PATH = 4096
_POSCAR_NAMES = ("poscar", "contcar", "chgcar", "locpot")  # the last two begin like a POSCAR
# formats that pymatgen reads without decoding objects
_PYMATGEN_SUFFIXES = (".xsf", ".cssr", ".res", ".xml")
# what a string ends in that can only be the name of a file, compressed or not
_FILE_SUFFIXES = (".cif", ".mcif", ".vasp", ".poscar", ".xyz", ".extxyz", ".traj", ".json") + (
    _PYMATGEN_SUFFIXES
)


def read_crystal(item, notes=None):
    """Read one crystal from any supported form.

    Parameters
    ----------
    item : Structure of pymatgen, Atoms of ase or JARVIS, Composition of pymatgen, dict, str or path
        A string is the text of a CIF, a POSCAR or a JSON dictionary, the path of an existing
        file, compressed or not, or a chemical formula. A dictionary is the result of pymatgen's
        ``as_dict`` or similar, see `read_dictionary`. Of an entry, its `structure` is read. A
        `Crystal` or `Formula` is returned unchanged.
    notes : list, default=None
        Changes and warnings of the reader are appended to it, one short sentence each.

    Returns
    -------
    Crystal or Formula

    Raises
    ------
    TypeError
        If the item is none of these.
    CrystalError
        If it cannot be read or is not a valid crystal: an empty or flat cell, sites that
        coincide, species that are not elements, atoms that do not match the formula in the file,
        or an empty formula.

    Examples
    --------
    >>> from sklearn_cloud.crystals import read_crystal
    >>> read_crystal("MgO").composition
    {'Mg': 1.0, 'O': 1.0}
    """
    if isinstance(item, Crystal | Formula):
        return item
    try:
        return _read(open_item(item), notes)
    except (CrystalError, TypeError, ImportError):
        raise
    except Exception as error:  # objects of other libraries raise anything, MemoryError too
        raise CrystalError(f"it cannot be read: {_describe(error)}") from error


def _read(item, notes):
    if isinstance(item, str):
        return _read_text(item, notes)
    if isinstance(item, os.PathLike):
        return read_file(Path(item), notes)
    if isinstance(item, dict):
        return read_dictionary(item, notes)
    if hasattr(item, "get_chemical_symbols") and hasattr(item, "get_scaled_positions"):
        return from_ase(item, notes)
    if all(hasattr(item, name) for name in ("lattice_mat", "frac_coords", "elements")):
        return from_jarvis(item, notes)
    # A pymatgen object can only come from a program that has imported pymatgen.
    from pymatgen.core import Composition, IStructure

    if isinstance(item, IStructure):
        return from_pymatgen(item, notes)
    if isinstance(item, Composition):
        return from_composition(item, notes)
    if isinstance(getattr(item, "structure", None), IStructure):
        return from_pymatgen(item.structure, notes)
    raise TypeError(
        f"expected a crystal (pymatgen Structure, ase Atoms, CIF text or path) or a composition "
        f"(pymatgen Composition or formula), got {item!r:.80} of type {type(item).__name__}"
    )


def _read_text(text, notes):
    stripped = text.strip()
    if stripped.startswith("{"):
        return _read_json(stripped, notes)
    if "\n" in stripped:
        if "data_" not in stripped.lower() and looks_like_poscar(text):
            return read_poscar(text, notes)
        return _named("the CIF text cannot be read as a crystal", read_cif, text, notes)
    if _names_file(stripped):
        return _read(open_item(Path(stripped)), notes)
    if " | " in text:
        raise CrystalError(
            f"{text!r:.80} is already a symmetry string: pass it directly to the estimator"
        )
    return read_formula(stripped, notes)


def _names_file(text):
    """Whether a line of text is a path: of an existing file, or with a known suffix."""
    if not text or len(text) > _LONGEST_PATH:
        return False
    if suffix_of(text) in _FILE_SUFFIXES:
        return True
    try:
        return os.path.isfile(text)
    except (OSError, ValueError):  # ValueError: a null character
        return False


def read_file(path, notes=None):
    """Read the crystal of a file: CIF, POSCAR, JSON, or another format of pymatgen.

    Raises
    ------
    CrystalError
        If there is no such file, or it cannot be read; the message names it.
    """
    name = repr(str(path)) if len(str(path)) < 300 else f"'{str(path)[:100]}...'"
    try:
        if not path.is_file():
            raise CrystalError(f"there is no file {name}")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise CrystalError(f"{name} has {size} bytes, more than {LARGEST_FILE}")
        return _named(f"{name} cannot be read as a crystal", _read_format, path, notes)
    except (OSError, ValueError) as error:
        if isinstance(error, CrystalError):
            raise
        raise CrystalError(f"the file {name} cannot be opened: {_describe(error)}") from error


def _read_format(path, notes):
    suffix = suffix_of(path)
    if suffix in (".cif", ".mcif"):
        return _read_cif(decode(read_bytes(path, LARGEST_FILE)), notes)
    if suffix == ".vasp" or path.name.lower().startswith(_POSCAR_NAMES):
        return read_poscar(decode(read_bytes(path, LARGEST_FILE)), notes)
    if suffix in _PYMATGEN_SUFFIXES:
        from pymatgen.core import Structure

        return from_pymatgen(Structure.from_file(path), notes)
    raise CrystalError(
        f"its format cannot be determined from its name ({suffix or path.name!r}); known formats "
        f"are .cif, .mcif, .vasp, POSCAR, CONTCAR, .json, {', '.join(_PYMATGEN_SUFFIXES)}"
    )


def _read_cif(text, notes):
    if "data_" not in text.lower() and looks_like_poscar(text):
        raise CrystalError("it is a POSCAR of VASP, not a CIF: let its name end in .vasp")
    return read_cif(text, notes)


def decode(data):
    """Decode the text of a file: UTF-8, UTF-16 with a byte order mark, or else Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read_json(text, notes):
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CrystalError(f"it is not JSON: {_describe(error)}") from error
    if not isinstance(record, dict):
        raise CrystalError(
            f"the JSON text of a crystal must be a dictionary, not a {type(record).__name__}"
        )
    return read_dictionary(record, notes)


def _named(what, reader, source, notes):
    """Return the result of the reader; its errors name the source."""
    try:
        return reader(source, notes)
    except CrystalError as error:
        raise CrystalError(f"{what}: {error}") from error
    except ImportError:
        raise
    except Exception as error:  # parsers of foreign formats raise anything
        raise CrystalError(f"{what}: {_describe(error)}") from error


def _describe(error):
    return f"{type(error).__name__}: {str(error)[:200]}" if str(error) else type(error).__name__
