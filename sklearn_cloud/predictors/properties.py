"""The properties that ready-made predictors exist for; a new one is one entry of the table."""

import difflib
from typing import NamedTuple

_STRUCTURE = ("boosting", "CLOUD mini", "graph network")  # tables of some thousand rows at most
_LARGE = ("boosting", "graph network")
_FORMULA = ("boosting", "CLOUD mini")


class Property(NamedTuple):
    """A property and how its predictor is made.

    Attributes
    ----------
    label : str
        Name in texts and plots.
    task : str
        MatBench task with the training table.
    unit : str
        Unit of the predictions; empty if there is none.
    needs : {"structure", "formula"}
        What a crystal must have.
    method : str
        How the training data were obtained.
    note : str
        What a user has to know, such as a known bias of the data.
    members : tuple of str
        Members of the ensemble, see `CrystalRegressor`.
    log10 : bool
        Whether the table has the decimal logarithm; predictions are converted back.
    classes : bool
        Whether it is a class instead of a number.
    lowest : float or None
        Smallest possible value; predictions and bounds below it are raised to it.
    zero_if : str or None
        Property of a class whose crystals have the value 0, see `joint`.
    """

    label: str
    task: str
    unit: str
    needs: str
    method: str
    note: str
    members: tuple = _STRUCTURE
    log10: bool = False
    classes: bool = False
    lowest: float | None = None
    zero_if: str | None = None


PROPERTIES = {
    "exfoliation_energy": Property(
        "exfoliation energy", "jdft2d", "meV/atom", "structure",
        "DFT with the OptB88vdW functional, JARVIS-DFT",
        "Only for layered crystals; three quarters of the table are below 100 meV/atom, and 14 "
        "rows above 500 cause a third of the error.",
        lowest=0.0,
    ),
    "highest_phonon_peak": Property(
        "frequency of the highest phonon peak", "phonons", "1/cm", "structure",
        "density functional perturbation theory with PBEsol, harmonic",
        "The last peak of the phonon density of states, not the highest frequency at Gamma.",
        lowest=0.0,
    ),
    "refractive_index": Property(
        "refractive index", "dielectric", "", "structure",
        "density functional perturbation theory with PBE, static electronic part",
        "Without dispersion. PBE underestimates band gaps, hence indices are too high on average. "
        "133 rows have an index above 5, up to 62: there, errors are much larger than elsewhere.",
        lowest=1.0,
    ),
    "shear_modulus": Property(
        "shear modulus (Voigt-Reuss-Hill)", "log_gvrh", "GPa", "structure",
        "DFT with PBE at 0 K",
        "Of a single-phase polycrystal without pores. Errors are relative: see the error of the "
        "logarithm.",
        _LARGE, log10=True,
    ),
    "bulk_modulus": Property(
        "bulk modulus (Voigt-Reuss-Hill)", "log_kvrh", "GPa", "structure",
        "DFT with PBE at 0 K",
        "Errors are relative: see the error of the logarithm. PBE is softer than experiment for "
        "most crystals.",
        _LARGE, log10=True,
    ),
    "perovskite_formation_energy": Property(
        "formation energy of a cubic perovskite", "perovskites", "eV/cell", "structure",
        "DFT with RPBE, five-atom cells",
        "Per cell of five atoms, for undistorted ABX3 perovskites only. Fitted on the 81 % of the "
        "table for which the reconstruction of the crystals knows which atom is on A and which "
        "on B.",
        _LARGE,
    ),
    "formation_energy": Property(
        "formation energy", "mp_e_form", "eV/atom", "structure",
        "DFT with PBE and PBE+U, Materials Project corrections",
        "Relative to the elements. The error is larger than most energies above the hull: use "
        "it to sort out bad candidates, not to rank good ones.",
        _LARGE,
    ),
    "band_gap": Property(
        "band gap (PBE)", "mp_gap", "eV", "structure",
        "DFT with PBE and PBE+U, Materials Project",
        "PBE gaps are typically 40 % below experiment. The gap is 0 where is_metal is more "
        "probable than not, and the interval contains 0 where it is possible.",
        _LARGE, lowest=0.0, zero_if="is_metal",
    ),
    "is_metal": Property(
        "metal (PBE)", "mp_is_metal", "", "structure",
        "DFT with PBE and PBE+U, Materials Project",
        "PBE makes metals of some narrow-gap semiconductors.",
        _LARGE, classes=True,
    ),
    "experimental_band_gap": Property(
        "experimental band gap", "expt_gap", "eV", "formula",
        "experiments, compiled by Zhuo et al.",
        "From the composition alone: polymorphs have the same prediction. More than half of the "
        "table are metals with a gap of 0.",
        _FORMULA,
        lowest=0.0,
    ),
    "experimental_is_metal": Property(
        "metal (experiment)", "expt_is_metal", "", "formula",
        "experiments, compiled by Zhuo et al.",
        "From the composition alone: polymorphs have the same prediction.",
        _FORMULA, classes=True,
    ),
    "glass_forming": Property(
        "forms a metallic glass", "glass", "", "formula",
        "melt-spinning experiments, Landolt-Bornstein",
        "For alloys. Most of the table forms a glass: the share of glasses among your alloys may "
        "be lower.",
        _FORMULA, classes=True,
    ),
    "yield_strength": Property(
        "yield strength of a steel", "steels", "MPa", "formula",
        "experiments, compiled in Citrine's steel table",
        "For maraging steels with the heat treatments of the table. Nothing but the composition "
        "is used.",
        _FORMULA,
        lowest=0.0,
    ),
}  # fmt: skip


def find_property(name):
    """Return the entry of a property.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If there is no such property; the message has the nearest name.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a property is a string, got {type(name).__name__}.")
    if name not in PROPERTIES:
        raise ValueError(unknown_property(name, PROPERTIES))
    return PROPERTIES[name]


def unknown_property(name, known):
    """Return the message for an unknown property."""
    wanted = name.lower().replace(" ", "_").replace("-", "_")
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    listed = f"the predictors are {', '.join(known)}" if known else "this installation has none"
    return f"there is no predictor called {name!r}.{hint} ({listed})"
