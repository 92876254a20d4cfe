"""Extract a crystal from entries, responses of servers, and files with several records."""

import os
from pathlib import Path

from .crystal_files import suffix_of
from .errors import CrystalError
from .json_tables import frame_of, read_json


def open_item(item):
    """Return the crystal in an item.

    Parameters
    ----------
    item : object
        An entry with a `structure`, the response of a server with ``data``, or the path of a
        JSON file, an extended XYZ file, or a trajectory with one crystal.

    Returns
    -------
    object
        The crystal; other items are returned unchanged.

    Raises
    ------
    CrystalError
        If there is no crystal in it, or more than one.
    """
    if isinstance(item, os.PathLike):
        return _open_file(Path(item))
    if isinstance(item, dict):
        several = isinstance(item.get("data"), list | dict)
        return _only(frame_of(item, "the dictionary"), "the dictionary") if several else item
    inner = getattr(item, "structure", None)
    return item if inner is None or hasattr(item, "lattice") else inner


def _open_file(path):
    if not path.is_file():
        return path
    kind = suffix_of(path)
    if kind == ".json":
        return _only(read_json(path), repr(str(path)))
    if kind in (".xyz", ".extxyz", ".traj"):
        from .ase_files import read_trajectory

        return _only(read_trajectory(path), repr(str(path)))
    return path


def _only(frame, source):
    """Return the only crystal of a frame."""
    column = next((name for name in ("structure", "atoms") if name in frame.columns), None)
    if len(frame) > 1:
        raise CrystalError(
            f"{source} contains {len(frame)} crystals: read all of them with "
            f"sklearn_cloud.datasets.read_crystals"
        )
    if column is None or not len(frame):
        raise CrystalError(f"{source} has no structure")
    return frame[column].iloc[0]
