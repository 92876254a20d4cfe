"""Arrays kept on disk under the content of the crystal that they belong to."""

import hashlib
from pathlib import Path

import numpy as np

from ..files import atomic_write, check_writable


class DiskCache:
    """A folder of npz files, one for each crystal and kind of result.

    Several processes may write to it at a time: a file appears under its name only when it is
    complete. The files contain plain arrays and are read without pickle.

    Parameters
    ----------
    folder : str or path
        Made where it does not exist.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def check(self):
        """Raise an OSError if the folder cannot be written."""
        check_writable(self.folder / "results")

    def load(self, group, key):
        """Arrays of a crystal by name, or None where there are none.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        path = self._path(group, key)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        except FileNotFoundError:
            return None
        except Exception as error:  # a cut zip file raises anything
            raise ValueError(f"{str(path)!r} is damaged ({error}): delete it") from error

    def store(self, group, key, arrays):
        """Keep the arrays of a crystal."""
        with atomic_write(self._path(group, key)) as temporary, open(temporary, "xb") as file:
            np.savez(file, **arrays)

    def _path(self, group, key):
        return self.folder / group / key[:2] / f"{key}.npz"


def content_key(crystal, *settings):
    """Name of a crystal and of the settings with which something was computed for it.

    Parameters
    ----------
    crystal : Crystal
        Ordered; equal cells, coordinates and elements give equal names.
    *settings : str or float

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    elements = [crystal.species[kind][0][0] for kind in crystal.kinds]
    parts = (
        np.ascontiguousarray(crystal.lattice, dtype="<f8").tobytes(),
        np.ascontiguousarray(crystal.positions, dtype="<f8").tobytes(),
        " ".join(elements).encode(),
        repr(settings).encode(),
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
