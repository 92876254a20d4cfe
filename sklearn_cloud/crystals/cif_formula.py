"""Compare the formula in a CIF with the atoms that were read."""

import re

from ..wording import percent
from .errors import CrystalError
from .species import ISOTOPES, add_note

_FORMULA = "_chemical_formula_sum"
_Z = "_cell_formula_units_z"
_WORD = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")
_LARGE, _SMALL = 0.1, 0.02  # relative differences between formula and atoms
_TRACE = 0.005  # atomic fraction below which an element may be missing


def formula_of(block):
    """Return {element: amount} of `_chemical_formula_sum`; None if it is absent or not plain."""
    text = block.value(_FORMULA)
    if text is None:
        return None
    amounts = {}
    for word in text.replace(",", " ").split():
        found = _WORD.fullmatch(word.strip("()")) or _joined(word)
        if not found:
            return None
        pairs = found if isinstance(found, list) else [found.groups()]
        for symbol, number in pairs:
            symbol = ISOTOPES.get(symbol, symbol)
            amounts[symbol] = amounts.get(symbol, 0.0) + float(number or 1)
    amounts = {symbol: amount for symbol, amount in amounts.items() if amount > 0}
    return amounts or None


def _joined(word):
    """Split `MgAl2O4`, written without blanks, into pairs."""
    pairs = _WORD.findall(word)
    return pairs if "".join(a + b for a, b in pairs) == word else None


def check_formula(block, found, formula, notes=None):
    """Compare the atoms of the cell with the formula, and their number with Z.

    Raises
    ------
    CrystalError
        If they differ by more than rounding.
    """
    if formula is None:
        return
    ratio = sum(found.values()) / sum(formula.values())
    worst, symbol = max((_difference(formula, found, ratio, s), s) for s in {*formula, *found})
    if worst > _LARGE:
        raise CrystalError(_explain(block, found, formula, symbol))
    if worst > _SMALL:
        add_note(
            notes,
            f"the atoms differ from the formula {block.value(_FORMULA)!r} by {percent(worst)}",
        )
    _check_units(block, ratio)


def _difference(formula, found, ratio, symbol):
    expected, read = formula.get(symbol, 0.0) * ratio, found.get(symbol, 0.0)
    if max(expected, read) < _TRACE * sum(found.values()):
        return 0.0
    return abs(expected - read) / max(expected, read)


def _explain(block, found, formula, symbol):
    read = " ".join(f"{element}{amount:.4g}" for element, amount in sorted(found.items()))
    if symbol not in found:
        reason = f"{symbol} is not among the atoms"
    elif symbol not in formula:
        reason = f"{symbol} is not in the formula"
    else:
        reason = f"the amount of {symbol} differs"
    return (
        f"its atoms do not match its formula: {reason}. The formula is "
        f"{block.value(_FORMULA)!r}, the cell contains {read}. Add the missing atoms or, if the "
        f"atoms are right, remove {_FORMULA} or pass a pymatgen Structure"
    )


def _check_units(block, ratio):
    """Check that the cell has Z formula units; pymatgen writes the formula of the whole cell."""
    try:
        units = float((block.value(_Z) or "").split("(")[0])
    except ValueError:
        return
    allowed = (units, 1.0, units / 3, 3 * units)  # a third: rhombohedral instead of hexagonal axes
    if units <= 0 or any(abs(ratio / one - 1) < _LARGE for one in allowed):
        return
    raise CrystalError(
        f"its {_Z} is {units:g} formula units {block.value(_FORMULA)!r}, but its atoms and "
        f"operators give {ratio:.4g}; correct the operators or {_Z}"
    )
