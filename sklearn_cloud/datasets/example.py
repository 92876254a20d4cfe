"""The example table: well-known crystals with measured band gaps."""

from importlib import resources

import numpy as np

TABLE = "data/example_crystals.csv"
CELL = ["a", "b", "c", "alpha", "beta", "gamma"]

DESCRIPTION = """\
Band gaps of well-known crystals
================================

{n_rows} crystalline semiconductors and insulators of {n_prototypes} structure types: elements,
III-V, II-VI and IV-VI compounds, alkali, silver, copper and thallium halides, oxides, nitrides,
fluorites, perovskites, spinels, chalcopyrites, pyrites, skutterudites, half-Heusler phases,
layered chalcogenides and halides. The target is the measured band gap, {smallest} to {largest} eV.

Cells are measured ones (conventional setting, angstrom and degrees). The structures are built
from them, the prototype, and the columns `species` (the elements that fill its slots) and
`coordinates` (the fractions of the cell that symmetry leaves free). Forms of one compound
(zincblende and wurtzite ZnS, rutile and anatase TiO2) are separate rows.

`source` names the handbook or paper for cell and gap. The values were compiled by hand and
rounded to commonly quoted precision: check the source before quoting them. `note` has remarks on
a row.  `benchmarks/maintenance/check_example.py` compares the table with
independent ones.

A gap depends on temperature, on the sample and on how it is read from a spectrum. Values of one
compound scatter by some percent from source to source, by more where the gap is very wide or very
narrow. Most are the lowest gap, direct or indirect, near room temperature; some of the wide gaps
were measured at low temperature. The table is small and consists of families of compounds, so a
random split mainly tests interpolation within them: it shows that a pipeline works, but it is not
a benchmark of methods (use `fetch_matbench`).
"""


def load_example(*, return_X_y=False):
    """Load crystals with experimental band gaps, a small table of the package.

    Parameters
    ----------
    return_X_y : bool, default=False
        If True, return ``(structures, target)`` instead of a Bunch. The rows are sorted by
        structure type: shuffle them, or the folds of a cross-validation.

    Returns
    -------
    example : sklearn.utils.Bunch
        With the attributes

        structures : object ndarray of shape (n_crystals,)
            pymatgen ``Structure`` objects, conventional cells.
        target : ndarray of shape (n_crystals,)
            Band gaps in eV, float64.
        target_names : list of str
            ``["band_gap"]``.
        unit : str
            ``"eV"``.
        frame : pandas.DataFrame of shape (n_crystals, 14)
            The table: formula, prototype, space_group, a, b, c (angstrom), alpha, beta, gamma
            (degrees), species, coordinates, band_gap (eV), source, note.
        DESCR : str
            Description of the table, its sources, and its limits.

    (structures, target) : tuple of ndarrays
        If `return_X_y` is True.

    Notes
    -----
    Every call builds new crystals: changing them does not affect later calls.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> example = load_example()
    >>> example.structures.shape, example.target.shape
    ((302,), (302,))
    >>> example.structures[1].composition.formula, float(example.target[1])
    ('Si8', 1.12)
    >>> print(example.frame.loc[:2, ["formula", "prototype", "space_group", "a", "band_gap"]])
      formula prototype  space_group      a  band_gap
    0       C   diamond          227  3.567      5.47
    1      Si   diamond          227  5.431      1.12
    2      Ge   diamond          227  5.658      0.66
    """
    frame = _read_table()
    structures = np.empty(len(frame), dtype=object)
    for row, record in enumerate(frame.itertuples(index=False)):
        structures[row] = _build_structure(record)
    target = frame["band_gap"].to_numpy(dtype=float, copy=True)
    if return_X_y:
        return structures, target

    from .crystal_data import CrystalData

    return CrystalData(
        structures=structures,
        target=target,
        target_names=["band_gap"],
        unit="eV",
        frame=frame,
        DESCR=_describe(frame),
    )


def _read_table():
    import pandas as pd

    with resources.files("sklearn_cloud").joinpath(TABLE).open(encoding="utf-8") as file:
        # an empty note is an empty string, not a missing value
        return pd.read_csv(file, keep_default_na=False, dtype=dict.fromkeys(CELL, float))


def _build_structure(record):
    from pymatgen.core import Lattice, Structure

    from .prototypes import build_prototype

    cell = Lattice.from_parameters(*(getattr(record, name) for name in CELL))
    free = dict(item.split("=") for item in record.coordinates.split())
    elements, positions = build_prototype(
        record.prototype, record.species.split(), {name: float(x) for name, x in free.items()}
    )
    return Structure(cell, elements, positions)


def _describe(frame):
    return DESCRIPTION.format(
        n_rows=len(frame),
        n_prototypes=frame["prototype"].nunique(),
        smallest=frame["band_gap"].min(),
        largest=frame["band_gap"].max(),
    )
