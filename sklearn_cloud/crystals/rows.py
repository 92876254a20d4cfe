"""Loop over rows of crystals: read them, compute on the distinct ones, and list bad rows."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from tqdm.auto import tqdm

from .crystal import Crystal
from .crystal_files import as_path
from .errors import CrystalError
from .reading import read_crystal
from .row_messages import raise_errors, same_kind, warn_errors, warn_notes
from .workers import run_in_workers

__all__ = [
    "Rows",
    "compute_rows",
    "content_key",
    "each",
    "full_key",
    "need_structure",
    "read_rows",
    "warn_errors",
    "warn_notes",
]

CHUNK = 256  # crystals per task of a worker
BAD_ROW = (TypeError, ValueError, OSError)


class Rows(NamedTuple):
    """Results of rows of crystals, computed once for each distinct crystal.

    Attributes
    ----------
    results : list
        Result of each distinct crystal, in the order of their first rows.
    keys : list
        Key of each distinct crystal: equal crystals have equal keys.
    places : ndarray of shape (n_rows,), int
        Index of the result of each row; -1 if there is an error.
    errors : dict of int to Exception
        Errors of rows that are not crystals or have no result.
    notes : dict of int to list of str
        Notes of the reader, by row.
    """

    results: list
    keys: list
    places: np.ndarray
    errors: dict
    notes: dict


def content_key(crystal):
    """Return 16 bytes that are equal for equal crystals."""
    return hashlib.blake2b(crystal.key, digest_size=16).digest()


def full_key(crystal):
    """Return the bytes of the crystal, by which some models sort their batches."""
    return crystal.key


def compute_rows(
    items, compute, *, key=content_key, n_jobs=None, chunk=CHUNK, label=None, on_error="raise"
):
    """Read crystals and compute a result for each distinct one.

    Parameters
    ----------
    items : list
        Input of `read_crystal`, or crystals that were read before. Files and text are read by the
        workers; other objects are read here, because only arrays are fast to send.
    compute : callable
        Takes a list of crystals and returns the list of their results, with a ValueError for each
        crystal without a result.
    key : callable, default=content_key
        Function whose value is equal for crystals with the same result.
    n_jobs : int, default=None
        Number of joblib workers; the results do not depend on it.
    chunk : int, default=256
        Largest number of crystals per task of a worker.
    label : str, default=None
        Label of the progress bar; None shows none.
    on_error : {"raise", "keep"}, default="raise"
        `"raise"` lists all bad rows in one error: after the first bad row, the others are still
        read, but nothing more is computed. `"keep"` leaves the errors to the caller.

    Returns
    -------
    Rows

    Raises
    ------
    TypeError, CrystalError
        If a row is not a crystal and `on_error` is "raise".
    """
    entries, places, bad = _gather(items, key)
    n_workers = effective_n_jobs(n_jobs)
    if n_workers > 1:
        chunk = max(1, min(chunk, -(-len(entries) // (4 * n_workers))))
    outcomes, results = [], {}
    failed = bool(bad)

    def tasks():
        for start in range(0, len(entries), chunk):
            compute_now = None if failed and on_error == "raise" else compute
            known = results if n_workers == 1 else {}
            yield entries[start : start + chunk], key, compute_now, known

    with tqdm(total=len(entries), desc=label, disable=label is None, unit="crystal") as bar:
        for read, computed in run_in_workers(_compute_chunk, tasks(), n_jobs):
            outcomes += read
            for one, result in computed.items():
                results.setdefault(one, result)
            failed = failed or _has_error(o.key for o in read) or _has_error(computed.values())
            bar.update(len(read))
    rows = _join([bad.get(place) or outcomes[place] for place in places], results)
    if on_error == "raise":
        raise_errors(rows)
    return rows


def read_rows(items, *, n_jobs=None, label=None):
    """Return the `Crystal` or `Formula` of each row; equal ones are the same object.

    Raises
    ------
    TypeError, CrystalError
        If rows are not crystals; the message lists all of them.
    """
    rows = compute_rows(items, list, n_jobs=n_jobs, label=label)
    warn_notes(rows)
    return [rows.results[place] for place in rows.places]


def each(function, crystals):
    """Apply a function to each crystal; return the ValueError of those that fail."""
    results = []
    for crystal in crystals:
        try:
            results.append(function(crystal))
        except ValueError as error:
            results.append(error)
    return results


class _Entry(NamedTuple):
    """Input of a worker: text, a path, or a crystal that was read before."""

    item: object
    name: str  # of a path, as it was given
    key: object  # of a crystal that needs no reading, else None
    notes: tuple  # on what was read already


class _Outcome(NamedTuple):
    """Outcome of reading: the crystal's key or an error, and the notes."""

    key: object
    notes: tuple


def _gather(items, key):
    """Return distinct entries for the workers, the entry of each row, and bad objects.

    Returns
    -------
    entries : list of _Entry
    places : list of int
        Index of the entry of each row; negative if an object is not a crystal.
    bad : dict of int to _Outcome
        By these negative places.
    """
    entries, index, places, bad = [], {}, [], {}
    for item in items:
        try:
            mark, entry = _make_entry(as_path(item), key)
        except BAD_ROW as error:
            places.append(-1 - len(bad))
            bad[places[-1]] = _Outcome(error, ())
            continue
        if mark not in index:
            index[mark] = len(entries)
            entries.append(entry)
        places.append(index[mark])
    return entries, places, bad


def _make_entry(item, key):
    """Return the entry, and a key that is equal for items to be read once."""
    if isinstance(item, str):
        return item, _Entry(item, "", None, ())
    if isinstance(item, os.PathLike):
        # a reused joblib worker may run in another folder
        path = Path(item).absolute()
        return path, _Entry(path, str(item), None, ())
    notes = []
    crystal = read_crystal(item, notes=notes)
    found = key(crystal)
    return (found, *notes), _Entry(crystal, "", found, tuple(notes))


def _compute_chunk(entries, key, compute, known):
    """Return the outcome of each entry, and the results of new crystals by key."""
    outcomes, crystals = [], {}
    for item, name, found, notes in entries:
        notes = list(notes)
        try:
            crystal = item if found is not None else read_crystal(item, notes)
            found = key(crystal) if found is None else found
            if found not in known:
                crystals[found] = crystal
        except BAD_ROW as error:
            found = _rename(error, str(item), name) if name else error
        outcomes.append(_Outcome(found, tuple(notes)))
    results = [] if compute is None else compute(list(crystals.values()))
    return outcomes, dict(zip(crystals, results))


def _rename(error, path, name):
    """Return the error, with the path as the user wrote it."""
    return same_kind(error)(str(error).replace(path, name))


def _has_error(values):
    return any(isinstance(value, Exception) for value in values)


def _join(outcomes, results):
    """Return `Rows` from the outcome of each row and the results by key."""
    index, errors, notes = {}, {}, {}
    places = np.full(len(outcomes), -1)
    for row, outcome in enumerate(outcomes):
        found = outcome.key
        if not isinstance(found, Exception):
            found = results.get(found) if isinstance(results.get(found), Exception) else found
        if isinstance(found, Exception):
            errors[row] = found
        elif found in results:
            places[row] = index.setdefault(found, len(index))
        if outcome.notes:
            notes[row] = list(outcome.notes)
    return Rows([results[one] for one in index], list(index), places, errors, notes)


def need_structure(crystal, who, advice=""):
    """Raise CrystalError for a composition without structure.

    Parameters
    ----------
    crystal : Crystal or Formula
    who : str
        Name of the caller in the message.
    advice : str, default=""
        Further advice in the message.
    """
    if not isinstance(crystal, Crystal):
        raise CrystalError(
            f"{who} needs a crystal structure, got only the composition {dict(crystal.amounts)}: "
            f"pass a Structure, Atoms or CIF file{advice}"
        )
