"""Find the crystals of a command, read them in chunks, and convert them to strings."""

import glob
import os
from collections import defaultdict
from pathlib import Path

from .messages import UsageError, describe_error, list_problems, note, show_progress

CHUNK = 1000  # crystals in memory at a time
#: Files that may be a table or a crystal; several of them are one crystal each.
EITHER = (".json", ".xyz", ".extxyz")


def find_crystals(arguments, output=None):
    """Find the crystals named on the command line; only tables are opened.

    Parameters
    ----------
    arguments : argparse.Namespace
    output : pathlib.Path, default=None
        Output table; its paths are relative to its folder.

    Returns
    -------
    Collection

    Raises
    ------
    UsageError
        If there is more than one table, or a table with other files.
    ValueError
        If a file or folder does not exist.
    """
    from ..crystals.collection import collect_file, collect_files
    from ..crystals.crystal_files import suffix_of
    from ..crystals.table_files import is_table

    paths = list(dict.fromkeys(path for text in arguments.crystals for path in _expand(text)))
    tables = [path for path in paths if is_table(path)]
    home = Path.cwd() if output is None else output.absolute().parent
    if len(paths) == 1:
        if not tables:
            _refuse_table_options(arguments)
        return collect_file(paths[0], home=home, **table_options(arguments, tables))
    tables = [path for path in tables if suffix_of(path) not in EITHER]
    if tables:
        raise UsageError(
            f"{tables[0]} is a table, one of {len(paths)} files: pass crystal files, or a single "
            "table."
        )
    _refuse_table_options(arguments)
    return collect_files(paths, home)


def _refuse_table_options(arguments):
    given = {"--column": arguments.column, "--folder": arguments.folder}
    for option, value in {**given, "--no-header": not arguments.header}.items():
        if value:
            raise UsageError(f"{option} applies to tables only, but no table was given.")


def table_options(arguments, is_table=True):
    """Return the options for reading a table."""
    from ..crystals.table_files import COMMAND_LINE

    if not is_table:
        return {}
    return {
        "header": arguments.header,
        "column": arguments.column,
        "folder": arguments.folder,
        "route": COMMAND_LINE,
    }


def _expand(text):
    """Return the files that one argument names."""
    if os.path.isdir(text):
        return list_folder(Path(text))
    if os.path.exists(text):
        return [Path(text)]
    if not glob.has_magic(text):
        raise ValueError(f"there is no file or folder {text!r}.")
    found = [Path(path) for path in sorted(glob.glob(text, recursive=True))]
    if not found:
        raise ValueError(f"no file matches {text!r}.")
    return [file for path in found for file in (list_folder(path) if path.is_dir() else [path])]


def list_folder(folder):
    """Return the crystal files of a folder, and report the other files."""
    from ..crystals.crystal_files import search_folder

    files, others = search_folder(folder)
    if others:
        note(f"{folder}: {len(files)} crystal files; ignored other files ({', '.join(others[:5])})")
    return files


def read_table(path, arguments):
    """Return the collection of a table (`sklearn-cloud fit`)."""
    from ..crystals.collection import collect_table

    return collect_table(path, **table_options(arguments))


def stream_strings(crystals, options, arguments, problems=None):
    """Yield the symmetry strings of the crystals in chunks, as `stream` does.

    Parameters
    ----------
    options : dict
        Parameters of `compose_strings`.
    """
    from functools import partial

    from ..symmetry.strings import compose_strings

    return stream(crystals, partial(compose_strings, **options), arguments, problems)


def stream(crystals, compute, arguments, problems=None):
    """Yield a result for each of the crystals, in chunks.

    Parameters
    ----------
    crystals : Collection
    compute : callable
        Takes a list of crystals and returns the list of their results, as for `compute_rows`;
        `list` returns the crystals themselves.
    arguments : argparse.Namespace
        With `jobs`, `skip_bad` and `quiet`.
    problems : dict of str to str, default=None
        Names of crystals that cannot be used for other reasons, and the reasons.

    Yields
    ------
    results : list
    crystals : Collection
        The crystals of these results. Without `skip_bad`, nothing more is yielded after the
        first problem, but the rest is still read.

    Raises
    ------
    ValueError
        At the end, if no crystal can be used or, without `skip_bad`, if one cannot. The message
        names all of them.
    """
    from ..crystals.rows import compute_rows

    bad, noticed, n_good = {}, defaultdict(list), 0
    for start in range(0, len(crystals), CHUNK):
        part = crystals.take(slice(start, start + CHUNK))
        label = f"crystals {start + 1}-{start + len(part)} of {len(crystals)}"
        rows = compute_rows(
            part.items,
            compute,
            n_jobs=arguments.jobs,
            label=label if show_progress(arguments) else None,
            on_error="keep",
        )
        bad |= _join_problems(part, problems or {}, rows)
        for row, texts in rows.notes.items():
            for text in texts:
                noticed[text].append(part.names[row])
        good = [row for row, name in enumerate(part.names) if name not in bad]
        n_good += len(good)
        if good and (arguments.skip_bad or not bad):
            yield [rows.results[rows.places[row]] for row in good], part.take(good)
    _report_notes(noticed)
    _report_bad(crystals, bad, n_good, arguments.skip_bad)


def read_all(crystals, compute, arguments, problems=None):
    """Return what `stream` yields, all at once.

    Returns
    -------
    results : list
    crystals : Collection
    """
    results, kept = [], []
    place = {name: i for i, name in enumerate(crystals.names)}
    for some, part in stream(crystals, compute, arguments, problems):
        results += some
        kept += [place[name] for name in part.names]
    return results, crystals.take(kept)


def read_whole_crystals(crystals, arguments, problems=None):
    """Read crystals as they are, for models that need more than strings.

    Parameters
    ----------
    crystals, arguments, problems
        As for `stream_strings`.

    Returns
    -------
    read : list of Crystal or of Formula
    crystals : Collection
        Those that were read.

    Raises
    ------
    ValueError
        As `stream_strings`.
    """
    from ..crystals.rows import compute_rows

    label = "reading" if show_progress(arguments) else None
    rows = compute_rows(crystals.items, list, n_jobs=arguments.jobs, label=label, on_error="keep")
    bad = _join_problems(crystals, problems or {}, rows)
    noticed = defaultdict(list)
    for row, texts in rows.notes.items():
        for text in texts:
            noticed[text].append(crystals.names[row])
    good = [row for row, name in enumerate(crystals.names) if name not in bad]
    _report_notes(noticed)
    _report_bad(crystals, bad, len(good), arguments.skip_bad)
    return [rows.results[rows.places[row]] for row in good], crystals.take(good)


def _join_problems(crystals, problems, rows):
    """Return all problems of each crystal, in order; a malformed row has no others."""
    joined = {}
    for row, name in enumerate(crystals.names):
        found = [problems[name]] if name in problems else []
        if row in rows.errors:
            found.append(describe_error(rows.errors[row]).removeprefix(f"{name!r} "))
        found = [crystals.problems[name]] if name in crystals.problems else found
        if found:
            joined[name] = "; ".join(found)
    return joined


def _report_notes(noticed):
    from ..crystals.row_messages import join_notes

    if noticed:
        note(f"read with changes: {join_notes(noticed)}")


def _report_bad(crystals, bad, n_good, skip_bad):
    """Raise an error if there are bad crystals, or none is left."""
    if not bad:
        return
    report = f"{len(bad)} of {len(crystals)} crystals ({crystals.source})"
    if not skip_bad or not n_good:
        advice = "fix them, or skip them with --skip-bad" if n_good else "no crystal is left"
        raise ValueError(f"{report} cannot be used; {advice}:{list_problems(bad)}")
    note(f"skipped {report}:{list_problems(bad)}")
