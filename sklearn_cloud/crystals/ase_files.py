"""Files that ASE reads: trajectories and databases, as data frames."""

import numpy as np

NEEDS_ASE = "reading {path} requires ASE: pip install 'sklearn-cloud[ase]'."
FORMATS = {".traj": "traj"}


def read_trajectory(path):
    """Return a frame with a row per image of a trajectory: ``structure`` (Atoms) and its data.

    Raises
    ------
    ImportError
        If ASE is not installed.
    ValueError
        If the file is damaged or contains no crystal.
    """
    import pandas as pd

    _need_ase(path)
    from ase.io import iread

    from .crystal_files import suffix_of

    kind = FORMATS.get(suffix_of(path), "extxyz")
    try:
        images = list(iread(str(path), index=":", format=kind))
    except Exception as error:  # readers of foreign formats raise anything
        raise ValueError(f"{path} cannot be read as a trajectory ({kind}): {error}") from error
    return pd.DataFrame([_record(atoms) for atoms in images])


def read_database(path):
    """Return the rows of an ASE database as a frame: id, keys with their values, ``structure``."""
    import pandas as pd

    _need_ase(path)
    from ase.db import connect

    try:
        with connect(str(path), type="db", use_lock_file=False) as database:
            rows = [
                {"id": row.id, **row.key_value_pairs, "structure": row.toatoms()}
                for row in database.select()
            ]
    except Exception as error:  # as above
        raise ValueError(f"{path} cannot be read as an ASE database: {error}") from error
    return pd.DataFrame(rows)


def _need_ase(path):
    try:
        import ase  # noqa: F401
    except ImportError:
        raise ImportError(NEEDS_ASE.format(path=path)) from None


def _record(atoms):
    """Return the numbers and text stored with an image, and its energy if there is one."""
    record = {name: value for name, value in atoms.info.items() if np.isscalar(value)}
    results = getattr(atoms.calc, "results", {})
    if "energy" in results:
        record.setdefault("energy", float(results["energy"]))
    return {**record, "structure": atoms}
