"""Messages about rows: one error or warning for bad rows, one warning for notes."""

import warnings
from collections import defaultdict

from ..wording import cut_middle
from .errors import CrystalError

LISTED = 10  # rows explained in a message; the rest are only numbered
LONGEST = 300  # characters of one explanation


def raise_errors(rows):
    """Raise one error that lists all bad rows, if any."""
    if not rows.errors:
        return
    first, error = min(rows.errors.items())
    message = f"row {first}: {error}"
    if len(rows.errors) > 1:
        message = (
            f"{len(rows.errors)} of {len(rows.places)} rows cannot be used: "
            f"{list_rows(rows.errors)}. Fix or remove these rows"
        )
    raise same_kind(error)(message) from error


def warn_errors(rows, consequence, stacklevel=3):
    """List all bad rows in one `UserWarning`, if any."""
    if rows.errors:
        warnings.warn(
            f"{len(rows.errors)} of {len(rows.places)} rows cannot be used, {consequence}: rows "
            f"{sorted(rows.errors)}. {list_rows(rows.errors)}",
            stacklevel=stacklevel + 1,
        )


def warn_notes(rows, stacklevel=3):
    """Report the notes of the reader in one `UserWarning`, if any."""
    if rows.notes:
        message = f"read with changes: {summarize_notes(rows)}"
        warnings.warn(message, stacklevel=stacklevel + 1)


def summarize_notes(rows):
    """Return the notes of the reader as text, each once with its rows."""
    places = defaultdict(list)
    for row, texts in rows.notes.items():
        for text in dict.fromkeys(texts):
            places[text].append(f"row {row}")
    return join_notes(places)


def join_notes(places):
    """Return {note: [names of rows]} as text."""
    parts = []
    for text, names in places.items():
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        parts.append(f"{text} ({', '.join(names[:LISTED])}{more})")
    return "; ".join(parts)


def list_rows(errors):
    """Explain the first bad rows, and list the numbers of the rest."""
    first = sorted(errors.items())[:LISTED]
    shown = [f"row {row}: {cut_middle(error, LONGEST)}" for row, error in first]
    rest = sorted(errors)[LISTED:]
    if rest:
        shown.append(f"and {len(rest)} more, rows {', '.join(map(str, rest[:100]))}")
    return "; ".join(shown)


def same_kind(error):
    """Return the class for an error that adds to the message of another one."""
    return next((k for k in (CrystalError, TypeError) if isinstance(error, k)), CrystalError)
