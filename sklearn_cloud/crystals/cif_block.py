"""Data blocks of a CIF text, read by gemmi, with clear messages about errors."""

import re

from .errors import CrystalError
from .species import add_note

_RELEVANT = ("_atom_site", "_cell", "_symmetry", "_space_group", "_chemical_formula")
_REPAIRS = 20  # most invalid lines that are skipped, as they do not describe the crystal
_UNICODE = {
    0xFEFF: None,  # byte order mark
    0x2212: "-",
    0x2013: "-",
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    **{code: " " for code in range(32) if chr(code) not in "\t\n\r"},
}


class CifBlock:
    """A data block by tags; `_a.b` and `_A_b` are `_a_b`, unknown values (`.`, `?`) are None.

    Parameters
    ----------
    block : gemmi.cif.Block
    """

    def __init__(self, block):
        self.name = block.name.strip()
        self._loops = {}
        self._pairs = {}
        for item in block:
            if item.pair is not None:
                tag, value = item.pair
                self._pairs.setdefault(_plain_tag(tag), value)
            elif item.loop is not None:
                for column, tag in enumerate(item.loop.tags):
                    self._loops.setdefault(_plain_tag(tag), (item.loop, column))

    def value(self, tag):
        """Return the value of a tag, or None."""
        values = self.values(tag)
        return values[0] if values else None

    def values(self, tag):
        """Return the values of a column; empty if there is none."""
        if tag in self._loops:
            loop, column = self._loops[tag]
            return [_plain_value(v) for v in loop.values[column :: loop.width()]]
        value = self._pairs.get(tag)
        return [] if value is None else [_plain_value(value)]


def _plain_tag(tag):
    return tag.lower().replace(".", "_")


def _plain_value(value):
    if value in ("?", "."):
        return None
    if value[:1] in ("'", '"', ";"):
        import gemmi

        return gemmi.cif.as_string(value).strip() or None
    return value or None


def read_blocks(text, notes=None):
    """Return the data blocks of a CIF text that list atoms.

    Parameters
    ----------
    text : str
    notes : list, default=None

    Returns
    -------
    list of CifBlock
        At least one.

    Raises
    ------
    CrystalError
        If the text is not a CIF, is damaged, or lists no atoms.
    """
    text = text.translate(_UNICODE)
    _check_is_cif(text)
    document = _parse(text.encode("ascii", "replace"), notes)
    blocks = [CifBlock(block) for block in document]
    with_atoms = [block for block in blocks if block.values("_atom_site_fract_x")]
    if with_atoms:
        return with_atoms
    if any(block.values("_atom_site_cartn_x") for block in blocks):
        raise CrystalError("it has Cartesian coordinates; convert them to fractional ones")
    raise CrystalError("it lists no atoms (there is no _atom_site_fract_x)")


def _check_is_cif(text):
    start = text.lstrip()[:500].lower()
    if not start:
        raise CrystalError("it is empty")
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise CrystalError("it is a web page, not a CIF: download the file again")
    if start.startswith("version https://git-lfs"):
        raise CrystalError("it is a Git LFS pointer, not the file: run `git lfs pull`")
    if not re.search(r"^\s*data_", text, re.MULTILINE | re.IGNORECASE):
        raise CrystalError("it is not a CIF: it has no data block (a line that begins with data_)")


def _parse(text, notes):
    import gemmi

    for _ in range(_REPAIRS):
        try:
            return gemmi.cif.read_string(text, 0)  # 0: repeated tags and names are ignored
        except (ValueError, RuntimeError) as error:
            line, reason = _locate(str(error))
            repaired = _without_line(text, line)
            if repaired is None:
                where = f"line {line}" if line else "somewhere"
                raise CrystalError(f"it is damaged at {where}: {reason}") from error
            add_note(notes, "invalid CIF lines that do not describe the crystal were skipped")
            text = repaired
    raise CrystalError(f"it has more than {_REPAIRS} lines that are not valid CIF")


def _locate(message):
    """Return the line number and the reason from gemmi's message, `string:10:0(189): reason`."""
    found = re.match(r"\w+:(\d+)(?::\d+\(\d+\))?[^:]*: (.*)", message, re.DOTALL)
    return (int(found[1]), found[2]) if found else (0, message)


def _without_line(text, line):
    """Return the text with one line blanked; None if the line may describe the crystal."""
    lines = text.splitlines(keepends=True)
    if not 0 < line <= len(lines):
        return None
    words = lines[line - 1].lower().split()
    if len(words) < 2 or not words[0].startswith(b"_"):
        return None
    if words[0].decode().startswith(_RELEVANT):
        return None
    lines[line - 1] = b"\n"
    return b"".join(lines)
