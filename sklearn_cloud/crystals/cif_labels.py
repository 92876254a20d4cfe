"""Find the element of an atom in a CIF from its type symbol or its label."""

import re

from .crystal import ELEMENT_RANK
from .errors import CrystalError
from .species import ISOTOPES, add_note

_DUMMIES = {"X", "Xx", "Du", "Dum", "Va", "Vac", "Vacancy", "Lp", "Cg", "Cnt", "Q", "Dummy"}
_LETTERS = re.compile(r"[A-Za-z]+")
_NON_METALS = "OCNFSH"  # more letters may follow in their labels: Ow, Ob, CA
_HEAVIEST = {
    "Rf",
    "Db",
    "Sg",
    "Bh",
    "Hs",
    "Mt",
    "Ds",
    "Rg",
    "Cn",
    "Nh",
    "Fl",
    "Mc",
    "Lv",
    "Ts",
    "Og",
}


def read_element(symbol, label, formula, notes=None):
    """Return the element of one atom.

    Parameters
    ----------
    symbol : str or None
        Its `_atom_site_type_symbol`, with or without a charge.
    label : str or None
        Its `_atom_site_label`, used if there is no symbol.
    formula : dict or None
        {element: amount} of the file; decides between two elements that a label may mean.
    notes : list, default=None

    Returns
    -------
    str or None
        None for a dummy atom.

    Raises
    ------
    CrystalError
        If it is not an element.
    """
    word = symbol or label
    found = _LETTERS.match(word or "")
    if not found:
        raise CrystalError(f"atom {label!r} has no type symbol, and its label is not an element")
    letters = found[0]
    if letters.capitalize() in _DUMMIES:
        return None
    options = _options(letters, formula, certain=symbol is not None)
    if not options:
        raise CrystalError(
            f"atom {label!r} has the type {word!r}, which is not one of the 118 elements"
        )
    element = options[0]
    if letters != element and (symbol is None or letters != element.upper()):
        add_note(notes, f"atoms {letters!r} were read as {element}")
    return element


def _options(letters, formula, certain):
    """Return the elements that the letters may mean, the most likely first."""
    known = [
        name
        for name in dict.fromkeys((letters[:2].capitalize(), letters[0].upper()))
        if name in ELEMENT_RANK or name in ISOTOPES
    ]
    if letters in known:
        known.remove(letters)
        known.insert(0, letters)
    else:
        known = [name for name in known if _may_go_on(name, letters, certain)]
    if formula:
        named = [name for name in known if ISOTOPES.get(name, name) in formula]
        known = named or known
    return known


def _may_go_on(element, letters, certain):
    """Whether the letters may mean an element, with more letters or in another case."""
    if element in _HEAVIEST:  # NH3 is not nihonium
        return False
    if letters.upper() == element.upper():
        return True
    if len(element) == 2:  # SiA, FeM; not CAR as calcium
        return letters.startswith(element)
    if certain and len(letters) > 2:
        return False
    return element in _NON_METALS and len(letters) <= 3
