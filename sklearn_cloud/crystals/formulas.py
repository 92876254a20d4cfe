"""Read chemical formulas, with brackets, hydrates and subscripts."""

import re

import numpy as np

from .crystal import ELEMENT_RANK, Formula
from .errors import CrystalError
from .limits import MOST_CHARACTERS
from .species import ISOTOPES, add_note

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉．·•∙⋅・∗*", "0123456789." + "·" * 7)
_TOKEN = re.compile(r"\s*([A-Z][a-z]?|[()\[\]{}]|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_WATER = re.compile(r"\.(\s*\d*\.?\d*\s*\(?[HD]2O\)?\d*)$")
_UNCLEAR = re.compile(r"[A-Za-z)\]}]\.\d*\s*[A-Z(]")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def read_formula(text, notes=None):
    """Read a chemical formula.

    Parameters
    ----------
    text : str
        Elements, amounts, brackets, and parts joined by a middle dot or `*`, each with a leading
        number: `CuSO4·5H2O`. A full stop before water at the end counts as such a dot.
    notes : list, default=None

    Returns
    -------
    Formula

    Raises
    ------
    CrystalError
        If it is not a formula; the message names the position.
    """
    if len(text) > MOST_CHARACTERS:
        raise CrystalError(
            f"the formula {text[:40]!r}... has {len(text)} characters, more than {MOST_CHARACTERS}"
        )
    written = _WATER.sub(r"·\1", text.translate(_SUBSCRIPTS).strip())
    if _UNCLEAR.search(written):
        raise CrystalError(
            f"{text!r:.80} is ambiguous: the full stop may be a decimal point or join two parts; "
            f"write 0.5 for the former, a middle dot (·) for the latter"
        )
    amounts = {}
    try:
        for part in written.split("·"):
            _add_part(part, amounts)
    except ValueError as error:
        raise CrystalError(f"{text!r:.80} is not a chemical formula: {error}") from error
    return make_formula(amounts.items(), f"the formula {text!r:.80}", notes)


def make_formula(amounts, where, notes=None):
    """Return a `Formula` of elements and amounts.

    Raises
    ------
    CrystalError
        If a symbol is not an element, or an amount is not positive.
    """
    held = {}
    for symbol, amount in amounts:
        if symbol in ISOTOPES:
            add_note(notes, f"{symbol} was read as {ISOTOPES[symbol]}")
            symbol = ISOTOPES[symbol]
        if symbol not in ELEMENT_RANK:
            raise CrystalError(
                f"{where} contains {symbol!r:.40}, which is not one of the 118 elements; replace it"
            )
        held[symbol] = held.get(symbol, 0.0) + float(amount)
    if not held or not all(np.isfinite(a) and a > 0 for a in held.values()):
        raise CrystalError(f"{where} contains no atoms, or an amount that is not positive")
    if not np.isfinite(sum(held.values())):
        raise CrystalError(f"the amounts of {where} are too large")
    return Formula(tuple(sorted(held.items())))


def _add_part(part, amounts):
    """Add the atoms of `5H2O` to the amounts."""
    tokens = _split(part)
    times = float(tokens.pop(0)) if tokens and _is_number(tokens[0]) else 1.0
    stack, closing = [{}], []
    while tokens:
        token = tokens.pop(0)
        if token in _BRACKETS:
            stack.append({})
            closing.append(_BRACKETS[token])
            continue
        if token in _BRACKETS.values():
            if not closing or closing.pop() != token:
                raise ValueError(f"unexpected {token!r}")
            inner = stack.pop()
        elif _is_number(token):
            raise ValueError(f"the number {token} does not follow an element or a bracket")
        else:
            inner = {token: 1.0}
        count = float(tokens.pop(0)) if tokens and _is_number(tokens[0]) else 1.0
        for symbol, amount in inner.items():
            stack[-1][symbol] = stack[-1].get(symbol, 0.0) + amount * count
    if closing:
        raise ValueError(f"missing {closing[-1]!r}")
    if not stack[0]:
        raise ValueError("it contains no elements")
    for symbol, amount in stack[0].items():
        amounts[symbol] = amounts.get(symbol, 0.0) + amount * times


def _split(part):
    tokens, place = [], 0
    part = part.rstrip()
    while place < len(part):
        found = _TOKEN.match(part, place)
        if not found:
            raise ValueError(f"{part[place:].strip()[:20]!r} is not an element or a number")
        tokens.append(found[1])
        place = found.end()
    return tokens


def _is_number(token):
    return token[0].isdigit() or token[0] == "."
