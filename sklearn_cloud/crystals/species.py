"""Elements and occupancies of one site."""

from .crystal import ELEMENT_RANK
from .errors import CrystalError

#: Symbols of isotopes, and their elements.
ISOTOPES = {"D": "H", "T": "H"}

_FULL = 1.001  # occupancies that sum to at most this are not changed
_LARGEST_SUM = 1.05  # larger sums are more than rounding or uncertainty of a refinement


def add_note(notes, text):
    """Append a sentence to the notes of the reader, once."""
    if notes is not None and text not in notes:
        notes.append(text)


def settle_species(amounts, where, notes=None):
    """Return elements and occupancies of one site, in the form of `Crystal.species`.

    Parameters
    ----------
    amounts : iterable of (str, float)
        Symbols and occupancies; Fe2+ and Fe3+ may both come as Fe. D and T count as H.
    where : str
        The site, for messages.
    notes : list, default=None
        Changes are appended to it.

    Returns
    -------
    tuple of (str, float)

    Raises
    ------
    CrystalError
        If the occupancies sum to more than 1, or one is not positive.
    """
    held = {}
    for symbol, occupancy in amounts:
        if symbol in ISOTOPES:
            add_note(notes, f"{symbol} was read as {ISOTOPES[symbol]}")
            symbol = ISOTOPES[symbol]
        if symbol not in ELEMENT_RANK:
            raise CrystalError(
                f"{where} contains {symbol!r:.40}, which is not one of the 118 elements; replace "
                f"it or remove the site"
            )
        if not occupancy > 0:  # NaN too
            raise CrystalError(f"{where} has occupancy {occupancy:.3f}; it must be in (0, 1]")
        held[symbol] = held.get(symbol, 0.0) + float(occupancy)
    total = sum(held.values())
    if not 0 < total <= _LARGEST_SUM:
        raise CrystalError(f"{where} has occupancy {total:.3f}; it must be in (0, 1]")
    if total > _FULL:
        add_note(notes, f"occupancies that sum to {total:.4g} were scaled to 1")
        held = {symbol: occupancy / total for symbol, occupancy in held.items()}
    return tuple(sorted(held.items()))


def index_species(species):
    """Return the kinds of the sites and the distinct species, in the form of `Crystal`."""
    import numpy as np

    index = {}
    kinds = [index.setdefault(held, len(index)) for held in species]
    return np.array(kinds, dtype=np.int32), tuple(index)
