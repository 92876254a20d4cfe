"""Symmetry operators of a CIF: listed in the file, or those of its space group."""

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .errors import CrystalError
from .species import add_note

_XYZ = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop_magn_operation_xyz",
)
_CENTERING = "_space_group_symop_magn_centering_xyz"
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_HERMANN_MAUGUIN = (
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_alt",
    "_space_group_name_h-m_full",
    "_space_group_name_h-m",
)
_NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number")

_SETTING = re.compile(r"(?:\s*:\s*([12RH])|\s*O([12])|(?<=[\w\s])([ZSRH]))$")
_CHOICES = {"Z": "2", "S": "1"}  # as the ICSD writes origin choices
_STRAIN = 0.03  # largest change of a cell of length 1 by an operator


class Operators(NamedTuple):
    """Symmetry operators of a setting: fractional coordinates x become rotation @ x + translation.

    Attributes
    ----------
    rotations : ndarray of shape (n, 3, 3)
    translations : ndarray of shape (n, 3)
    name : str
        Their name in messages.
    """

    rotations: np.ndarray
    translations: np.ndarray
    name: str

    def keep(self, lattice):
        """Whether they map the lattice onto itself."""
        if len(self.rotations) == 1:
            return True
        metric = lattice @ lattice.T
        lengths = np.sqrt(np.diag(metric))
        moved = np.swapaxes(self.rotations, 1, 2) @ metric @ self.rotations
        change = np.abs(moved - metric) / np.outer(lengths, lengths)
        return float(change.max()) < _STRAIN


def find_operators(block, notes=None):
    """Return the operators that a data block may mean, the most likely first.

    Parameters
    ----------
    block : CifBlock
    notes : list, default=None

    Returns
    -------
    list of Operators
        One entry if the file lists operators or names a setting; otherwise all settings of its
        symbol or number.

    Raises
    ------
    CrystalError
        If an operator or the name of the space group cannot be read.
    """
    symbol = _first(block, _HERMANN_MAUGUIN)
    number = _as_group_number(_first(block, _NUMBER))
    listed = next(filter(None, (block.values(tag) for tag in _XYZ)), None)
    if listed:
        operators = _parse_operators(tuple(listed), tuple(block.values(_CENTERING)))
        _compare(operators, symbol, number, notes)
        return [operators]
    for tag in _HALL:
        hall = block.value(tag)
        if hall:
            found = _from_hall(hall)
            if found is not None:
                return [found]
            add_note(notes, f"the Hall symbol {hall!r} is unknown")
    return _name_settings(symbol, number, notes)


def _first(block, tags):
    return next(filter(None, (block.value(tag) for tag in tags)), None)


def _compare(operators, symbol, number, notes):
    """Note if the number of listed operators is not that of the named space group."""
    groups, _ = _settings_of(symbol, number)
    orders = {len(group.operations()) for group in groups}
    n_operators = len(operators.rotations)
    if orders and n_operators not in orders:
        add_note(
            notes,
            f"{n_operators} operators are listed, but the space group {symbol or number} has "
            f"{min(orders)}; the listed operators were used",
        )


@lru_cache(maxsize=256)
def _parse_operators(triplets, centerings):
    import gemmi

    operators = []
    for triplet in triplets:
        try:
            operators.append(gemmi.Op(_plain(triplet)))
        except (RuntimeError, ValueError) as error:
            raise CrystalError(f"the operator {triplet!r} cannot be read: {error}") from error
    if centerings:
        shifts = [gemmi.Op(_plain(triplet)) for triplet in centerings]
        operators = [shift * operator for shift in shifts for operator in operators]
    return _arrays(operators, f"the {len(operators)} operators listed")


def _plain(triplet):
    """Without time reversal, and `2*x` for what pymatgen writes as `2x`."""
    return re.sub(r"(\d)\s*([xyzXYZ])", r"\1*\2", ",".join(triplet.split(",")[:3]))


def _arrays(operators, name):
    """Convert gemmi's operators to `Operators`, without repetitions."""
    seitz = {op.wrap().triplet(): op for op in operators}.values()
    den = 24.0  # gemmi.Op.DEN
    rotations = np.array([op.rot for op in seitz], dtype=float) / den
    translations = np.array([op.tran for op in seitz], dtype=float) / den
    if not np.isclose(np.abs(np.linalg.det(rotations)), 1).all():
        raise CrystalError(f"{name} are not symmetry operators: one of them is not invertible")
    return Operators(rotations, translations, name)


@lru_cache(maxsize=256)
def _from_hall(hall):
    import gemmi

    try:
        return _arrays(gemmi.symops_from_hall(hall), f"the Hall symbol {hall!r}")
    except (RuntimeError, ValueError):
        return None


@lru_cache(maxsize=1024)
def _settings_of(symbol, number):
    """Return the settings that a symbol, or else a number, may mean; and their number."""
    import gemmi

    group, setting = _find_group(symbol) if symbol else (None, None)
    if group is not None:
        table = [g for g in gemmi.spacegroup_table() if g.hm == group.hm]
        named = [g for g in table if g.ext == setting]
        return tuple(_by_preference(named or table)), group.number
    table = [g for g in gemmi.spacegroup_table() if g.number == number]
    return tuple(_by_preference(table)), number


def _find_group(symbol):
    """Return an entry of gemmi's table, or None, and the setting named by the symbol, or None."""
    import gemmi

    written = re.sub(r"(\d)\s*\(-\)", r"-\1", symbol).split("(")[0].replace("_", " ").strip()
    found = _SETTING.search(written)
    if found:
        group = gemmi.find_spacegroup_by_name(written[: found.start()])
        if group is not None:
            setting = next(filter(None, found.groups()))
            return group, _CHOICES.get(setting, setting)
    return gemmi.find_spacegroup_by_name(written), None


def _by_preference(groups):
    """Sort: the setting of the International Tables first (origin choice 2, hexagonal axes)."""
    return sorted(groups, key=lambda group: not group.is_reference_setting())


def _name_settings(symbol, number, notes):
    groups, named = _settings_of(symbol, number)
    if symbol and named != _settings_of(symbol, None)[1]:
        add_note(
            notes, f"the space group symbol {symbol!r} is unknown; its number {number} was used"
        )
    elif symbol and number and named != number:
        add_note(notes, f"the space group symbol {symbol!r} does not match the number {number}")
    if groups:
        return [_arrays_of_group(group.xhm()) for group in groups]
    if symbol:
        raise CrystalError(
            f"the space group {symbol!r} is unknown, and no symmetry operators are listed; list "
            f"them under {_XYZ[0]}"
        )
    add_note(notes, "it has no space group and no symmetry operators; read as P 1")
    return [_arrays_of_group("P 1")]


def _as_group_number(text):
    try:
        number = int(float(text))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 1 <= number <= 230 else None


@lru_cache(maxsize=1024)
def _arrays_of_group(name):
    import gemmi

    return _arrays(gemmi.find_spacegroup_by_name(name).operations(), f"the space group {name}")
