"""What is said of rows: bad ones in one error or warning, the reader's notes in one warning."""

import warnings
from collections import defaultdict

from .errors import CrystalError

LISTED = 10  # rows that a message explains; the rest are only numbered
LONGEST = 300  # characters of one explanation


def raise_errors(rows):
    """Raise one error that names all bad rows, if there are any."""
    if not rows.errors:
        return
    first, error = min(rows.errors.items())
    message = f"row {first}: {error}"
    if len(rows.errors) > 1:
        message = (
            f"{len(rows.errors)} of {len(rows.places)} rows cannot be used: "
            f"{list_rows(rows.errors)}. Fix these rows or leave them out"
        )
    raise same_kind(error)(message) from error


def warn_errors(rows, consequence, stacklevel=3):
    """Name all bad rows in one `UserWarning`, if there are any."""
    if rows.errors:
        warnings.warn(
            f"{len(rows.errors)} of {len(rows.places)} rows cannot be used, {consequence}: rows "
            f"{sorted(rows.errors)}. {list_rows(rows.errors)}",
            stacklevel=stacklevel + 1,
        )


def warn_notes(rows, stacklevel=3):
    """Say in one `UserWarning` what the reader changed or noticed, if anything."""
    if rows.notes:
        message = f"read with changes: {summarize_notes(rows)}"
        warnings.warn(message, stacklevel=stacklevel + 1)


def summarize_notes(rows):
    """What the reader changed or noticed, each thing once with its rows."""
    places = defaultdict(list)
    for row, texts in rows.notes.items():
        for text in dict.fromkeys(texts):
            places[text].append(f"row {row}")
    return join_notes(places)


def join_notes(places):
    """Text of {note: [names of rows]}."""
    parts = []
    for text, names in places.items():
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        parts.append(f"{text} ({', '.join(names[:LISTED])}{more})")
    return "; ".join(parts)


def list_rows(errors):
    """Text that explains the first few bad rows and counts the rest."""
    shown = [f"row {row}: {_shorten(error)}" for row, error in sorted(errors.items())[:LISTED]]
    rest = sorted(errors)[LISTED:]
    if rest:
        shown.append(f"and {len(rest)} more, rows {', '.join(map(str, rest[:100]))}")
    return "; ".join(shown)


def _shorten(error):
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def same_kind(error):
    """The class of an error that says more than another one."""
    return next((k for k in (CrystalError, TypeError) if isinstance(error, k)), CrystalError)
