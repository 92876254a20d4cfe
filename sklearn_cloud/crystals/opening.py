"""What stands around a crystal, taken off: compression, file formats, entries, answers, JSON."""

import json
import os
from pathlib import Path

from .crystal import Crystal, CrystalError, Formula
from .files import as_path, read_text, suffix_of
from .json_tables import frame_of


def open_item(item):
    """What an item contains, as `read_crystal` takes it.

    Parameters
    ----------
    item : object
        A string that names a file is that file; one that is JSON is decoded. An entry of the
        Materials Project (`ComputedStructureEntry` and the like) is its structure. A file is
        opened unless it is a plain CIF file.

    Returns
    -------
    object

    Raises
    ------
    CrystalError
        If there is no crystal in it, or more than one.
    """
    if isinstance(item, Crystal | Formula):
        return item
    if _is_missing(item):
        raise CrystalError("there is no crystal, the cell is empty")
    item = as_path(item)
    if isinstance(item, str) and item.lstrip().startswith("{"):
        item = _decode(item)
    if isinstance(item, os.PathLike):
        return _open_file(Path(item))
    if isinstance(item, dict) and isinstance(item.get("data"), list | dict):
        return _only(frame_of(item, "the dictionary"), "the dictionary")
    inner = getattr(item, "structure", None)
    return item if inner is None or hasattr(item, "lattice") else inner


def _is_missing(item):
    return item is None or (isinstance(item, float) and item != item)


def _decode(text):
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CrystalError(
            f"the text begins like JSON but is not: {error} (a Python dictionary is written as "
            f"JSON by json.dumps)"
        ) from error


def _open_file(path):
    kind = suffix_of(path)
    if kind in (".xyz", ".extxyz", ".traj"):
        from .ase_files import read_trajectory

        return _only(read_trajectory(path), repr(str(path)))
    if kind == ".json":
        from .json_tables import read_json

        return _only(read_json(path), repr(str(path)))
    return path


def _only(frame, source):
    """The one crystal of a frame."""
    column = next((name for name in ("structure", "atoms") if name in frame.columns), None)
    if column is None or not len(frame):
        raise CrystalError(f"{source} has no structure")
    if len(frame) > 1:
        raise CrystalError(
            f"{source} has {len(frame)} crystals: read it on its own, with "
            f"sklearn_cloud.datasets.read_crystals, for a row each"
        )
    return frame[column].iloc[0]
