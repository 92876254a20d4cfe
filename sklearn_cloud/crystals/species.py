"""What occupies one site: elements and occupancies."""

from .crystal import ELEMENT_RANK
from .errors import CrystalError

#: Symbols that stand for an element with another one's name.
ISOTOPES = {"D": "H", "T": "H"}

_FULL = 1.001  # occupancies that sum to no more than this are taken as they are
_LARGEST_SUM = 1.05  # above this they are not rounding, and no uncertainty of a refinement


def add_note(notes, text):
    """Append a sentence to what the reader noticed, once."""
    if notes is not None and text not in notes:
        notes.append(text)


def settle_species(amounts, where, notes=None):
    """Elements and occupancies of one site, as `Crystal.species` takes them.

    Parameters
    ----------
    amounts : iterable of (str, float)
        Symbols and occupancies; Fe2+ and Fe3+ may both come as Fe. D and T count as H.
    where : str
        The site, for messages.
    notes : list, default=None
        Says what was changed.

    Returns
    -------
    tuple of (str, float)

    Raises
    ------
    CrystalError
        If the occupancies sum to more than 1, or one is not a number above 0.
    """
    held = {}
    for symbol, occupancy in amounts:
        if symbol in ISOTOPES:
            add_note(notes, f"{symbol} counts as {ISOTOPES[symbol]}")
            symbol = ISOTOPES[symbol]
        if symbol not in ELEMENT_RANK:
            raise CrystalError(
                f"{where} holds {symbol!r:.40}, which is not one of the 118 elements; replace it "
                f"by one, or remove the site"
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
    """Kinds of the sites and the distinct species, as `Crystal` takes them."""
    import numpy as np

    index = {}
    kinds = [index.setdefault(held, len(index)) for held in species]
    return np.array(kinds, dtype=np.int32), tuple(index)
