"""The forms of JSON that tables and crystals come in, as a data frame."""

import json

from .crystal_files import read_text

#: Keys that tell a dictionary of one crystal: pymatgen's, OPTIMADE's, JARVIS's, ASE's.
_CRYSTAL_KEYS = (
    {"lattice", "sites"},
    {"lattice_vectors", "cartesian_site_positions"},
    {"lattice_mat", "coords", "elements"},
    {"numbers", "positions", "cell"},
)
#: Columns that show that a dictionary of dictionaries has one of them for each column.
_COLUMNS = {"structure", "cif", "atoms", "file", "path", "filename", "formula", "composition"}
_BOOKKEEPING = ("@module", "@class", "@version")


def is_crystal_dict(value):
    """Whether a dictionary is that of one crystal, as far as its keys tell."""
    return isinstance(value, dict) and any(keys <= value.keys() for keys in _CRYSTAL_KEYS)


def read_json(path):
    """Frame of a JSON file.

    Raises
    ------
    ValueError
        If it is not JSON, or of a form that is not known.
    """
    try:
        content = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if isinstance(content, dict) and {"ids", "nextid"} <= content.keys():
        return _from_ase(content, path)
    return frame_of(content, path)


def _from_ase(content, source):
    """Frame of an ASE database in JSON: id, keys with their values, and the atoms."""
    import pandas as pd

    rows = []
    for number in content["ids"]:
        row = content.get(str(number))
        if not isinstance(row, dict):
            raise ValueError(f"{source} has no row {number!r}, which its list of ids names.")
        atoms = {key: _plain_array(row.get(key)) for key in ("numbers", "positions", "cell")}
        rows.append({"id": number, **row.get("key_value_pairs", {}), "structure": atoms})
    return pd.DataFrame(rows)


def _plain_array(value):
    """An array as ASE writes it, as nested lists."""
    if isinstance(value, dict) and "array" in value:  # a cell
        value = value["array"]
    if isinstance(value, dict) and "__ndarray__" in value:
        import numpy as np

        shape, _, flat = value["__ndarray__"]
        return np.array(flat, dtype=float).reshape(shape).tolist()
    return value


def read_json_lines(path):
    """Frame of a file with a JSON record a line, and what is wrong with lines."""
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
    """Frame of what a JSON file has, or of Python lists and dictionaries of the same forms.

    Parameters
    ----------
    content : list or dict
        Records; crystals; pandas' "split", "columns", "index" or "table" form; an answer with
        ``data``.
    source : str or path
        For messages.

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
        f"{source} has none of the forms that are known: a list of records or structures, "
        f"pandas' 'split', 'columns' or 'index' form, an answer with 'data', or one structure."
    )


def _from_columns(content, source):
    """{column: {row: cell}}, {column: [cell, ...]} or {row: {column: cell}}."""
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
        raise ValueError(f"{source} has columns of unequal length: {error}") from error


def _as_record(record):
    """Cells of one row: a bare crystal and OPTIMADE's attributes become columns."""
    if is_crystal_dict(record) and "structure" not in record:
        return {"structure": record}
    attributes = _attributes(record)
    if attributes is not None:
        plain = {key: value for key, value in attributes.items() if _is_plain(value)}
        return {"id": record.get("id"), **plain, "structure": attributes}
    return record


def _attributes(record):
    """What an OPTIMADE entry says of its structure."""
    attributes = record.get("attributes") if isinstance(record, dict) else None
    return attributes if isinstance(attributes, dict) else None


def _is_entry(record):
    return isinstance(record, dict) and is_crystal_dict(record.get("structure"))


def _is_plain(value):
    return value is None or isinstance(value, str | int | float | bool)


def _clean(frame):
    """Without the columns that only say how an object was written."""
    return frame.drop(columns=[name for name in _BOOKKEEPING if name in frame.columns])
