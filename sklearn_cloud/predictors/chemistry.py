"""Classes of chemistry, by which the errors of a predictor are listed."""

CHEMISTRIES = ("oxides", "halides", "chalcogenides", "intermetallics", "other")
_HALOGENS = {"F", "Cl", "Br", "I"}
_CHALCOGENS = {"S", "Se", "Te"}
#: Non-metals and metalloids; crystals without any of them are intermetallics (or metals).
NON_METALS = {
    *"H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe At Rn".split()
}  # fmt: skip


def chemistry_class(elements):
    """Return the class of a composition; the first one of `CHEMISTRIES` that fits.

    Oxides contain oxygen, halides F, Cl, Br or I, chalcogenides S, Se or Te, and intermetallics
    neither non-metals nor metalloids.

    Parameters
    ----------
    elements : iterable of str

    Returns
    -------
    str

    Examples
    --------
    >>> from sklearn_cloud.predictors.chemistry import chemistry_class
    >>> [chemistry_class(e) for e in (["Bi", "O", "Cl"], ["Na", "Cl"], ["Ni", "Al"], ["Ga", "N"])]
    ['oxides', 'halides', 'intermetallics', 'other']
    """
    elements = set(elements)
    if "O" in elements:
        return "oxides"
    if elements & _HALOGENS:
        return "halides"
    if elements & _CHALCOGENS:
        return "chalcogenides"
    return "other" if elements & NON_METALS else "intermetallics"
