"""Read tables and crystals in different JSON forms as data frames."""

import json

from .crystal_files import read_text

#: Keys of the dictionary of a crystal: pymatgen's, OPTIMADE's, JARVIS's, ASE's.
_CRYSTAL_KEYS = (
    {"lattice", "sites"},
    {"lattice_vectors", "cartesian_site_positions"},
    {"lattice_mat", "coords", "elements"},
    {"numbers", "positions", "cell"},
)
#: Columns that show that a dictionary of dictionaries is in column form.
_COLUMNS = {"structure", "cif", "atoms", "file", "path", "filename", "formula", "composition"}
_BOOKKEEPING = ("@module", "@class", "@version")


def is_crystal_dict(value):
    """Whether a dictionary has the keys of a crystal."""
    return isinstance(value, dict) and any(keys <= value.keys() for keys in _CRYSTAL_KEYS)


def read_json(path):
    """Read a JSON file as a frame.

    Raises
    ------
    ValueError
        If it is not JSON, or has an unknown form.
    """
    try:
        content = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if isinstance(content, dict) and {"ids", "nextid"} <= content.keys():
        return _from_ase(content, path)
    return frame_of(content, path)


def _from_ase(content, source):
    """Read an ASE database in JSON as a frame: id, keys with their values, and the atoms."""
    import pandas as pd

    rows = []
    for number in content["ids"]:
        row = content.get(str(number))
        if not isinstance(row, dict):
            raise ValueError(f"{source} lists the id {number!r} but has no such row.")
        atoms = {key: _plain_array(row.get(key)) for key in ("numbers", "positions", "cell")}
        rows.append({"id": number, **row.get("key_value_pairs", {}), "structure": atoms})
    return pd.DataFrame(rows)


def _plain_array(value):
    """Convert an array in the form of ASE to nested lists."""
    if isinstance(value, dict) and "array" in value:  # a cell
        value = value["array"]
    if isinstance(value, dict) and "__ndarray__" in value:
        import numpy as np

        shape, _, flat = value["__ndarray__"]
        return np.array(flat, dtype=float).reshape(shape).tolist()
    return value


def read_json_lines(path):
    """Read a file with one JSON record per line as a frame; also return the bad lines."""
    import pandas as pd

    records, problems = [], {}
    for line in read_text(path).splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("it is not a record {...}")
        except (ValueError, RecursionError) as error:
            problems[len(records) + 1] = f"the line is not a JSON record: {error}"
            record = {}
        records.append(_as_record(record))
    return _clean(pd.DataFrame(records)), problems


def frame_of(content, source):
    """Convert the content of a JSON file, or similar Python lists and dictionaries, to a frame.

    Parameters
    ----------
    content : list or dict
        Records; crystals; pandas' "split", "columns", "index" or "table" form; a response
        with ``data``.
    source : str or path
        Name of the source in messages.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    if is_crystal_dict(content) or is_crystal_dict(_attributes(content)) or _is_entry(content):
        content = [content]
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        return _clean(pd.DataFrame([_as_record(record) for record in content]))
    if isinstance(content, dict):
        if {"columns", "data"} <= content.keys():
            frame = pd.DataFrame(content["data"], columns=content["columns"])
            return _clean(frame.set_axis(content.get("index", range(len(frame)))))
        if isinstance(content.get("data"), list | dict):
            return frame_of(content["data"], source)
        if content and all(isinstance(value, dict | list) for value in content.values()):
            return _clean(_from_columns(content, source))
    raise ValueError(
        f"{source} has an unknown form; expected a list of records or structures, pandas' "
        f"'split', 'columns' or 'index' form, a response with 'data', or one structure."
    )


def _from_columns(content, source):
    """Read {column: {row: cell}}, {column: [cell, ...]} or {row: {column: cell}}."""
    import pandas as pd

    inner = [value for value in content.values() if isinstance(value, dict)]
    if len(inner) == len(content):
        if all(is_crystal_dict(value) for value in inner):
            return pd.DataFrame({"structure": inner}, index=list(content))
        by_row = all(_COLUMNS & {str(key).lower() for key in value} for value in inner)
        if by_row:
            return pd.DataFrame([_as_record(record) for record in inner], index=list(content))
        frame = pd.DataFrame(
            {name: pd.Series(cells, dtype=object) for name, cells in content.items()}
        )
        numbers = all(str(label).isdigit() for label in frame.index)
        return frame.set_axis([int(label) for label in frame.index]) if numbers else frame
    try:
        return pd.DataFrame(content)
    except ValueError as error:
        raise ValueError(f"{source} has columns of different lengths: {error}") from error


def _as_record(record):
    """Return the cells of a row: a bare crystal and OPTIMADE's attributes become columns."""
    if is_crystal_dict(record) and "structure" not in record:
        return {"structure": record}
    attributes = _attributes(record)
    if attributes is not None:
        plain = {key: value for key, value in attributes.items() if _is_plain(value)}
        return {"id": record.get("id"), **plain, "structure": attributes}
    return record


def _attributes(record):
    """Return the attributes of an OPTIMADE entry, with its structure."""
    attributes = record.get("attributes") if isinstance(record, dict) else None
    return attributes if isinstance(attributes, dict) else None


def _is_entry(record):
    return isinstance(record, dict) and is_crystal_dict(record.get("structure"))


def _is_plain(value):
    return value is None or isinstance(value, str | int | float | bool)


def _clean(frame):
    """Drop columns that only describe how objects were serialized."""
    return frame.drop(columns=[name for name in _BOOKKEEPING if name in frame.columns])
