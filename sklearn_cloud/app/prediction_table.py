"""Predictions of the entries of a page, as a table with a line for each crystal and property."""

from collections import defaultdict

from ..crystals.crystal import Crystal, write_formula

COLUMNS = (
    "name", "formula", "space_group", "property", "value", "lower", "upper", "unit",
    "applicability", "message", "symmetry_string",
)  # fmt: skip
_NUMBERS = ("value", "lower", "upper", "applicability")


def list_choices():
    """Return {name: (label, unit)} of all properties, derived ones included."""
    from ..predictors.derived import DERIVED
    from ..predictors.loading import list_predictors
    from ..predictors.properties import PROPERTIES

    names = list_predictors()
    found = {}
    for name in names:
        one = PROPERTIES[name]
        found[name] = (one.label, "probability" if one.classes else one.unit)
    for name, one in DERIVED.items():
        if set(one.inputs) <= set(names):
            found[name] = (one.label, one.unit)
    return found


def describe_choices(names):
    """Return what a user has to know about properties: data, error and limits.

    Parameters
    ----------
    names : list of str

    Returns
    -------
    pandas.DataFrame
        With the columns property, origin, needs, error and limits.
    """
    import pandas as pd

    from ..predictors.derived import DERIVED
    from ..predictors.loading import load_card

    rows = []
    for name in names:
        if name in DERIVED:
            one = DERIVED[name]
            text = f"follows from {' and '.join(one.inputs)}".replace("_", " ")
            rows.append((one.label, text, "structure", "", one.source))
        else:
            card = load_card(name)
            rows.append((card["label"], card["method"], card["needs"], card.error, card["note"]))
    return pd.DataFrame(rows, columns=["property", "origin", "needs", "error", "limits"])


def predict_entries(entries, properties, predictors, coverage=0.9):
    """Predict properties of the entries that allow it, and say why not for the others.

    Parameters
    ----------
    entries : list of Entry
    properties : list of str
        Names as for `predict_properties`.
    predictors : dict of str to Predictor
        From `load_all`; with ``on_error="warn"``.
    coverage : float, default=0.9
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        With the columns `COLUMNS`; the lines of an entry follow each other. A line without a
        prediction has a message; an entry that was not read has a single line, without property.
    """
    strings = compose_symmetry_strings(entries)
    groups = defaultdict(list)  # the crystals are described once for each of the two
    for name in properties:
        groups[_needs(name, predictors)].append(name)
    lines = {}
    for needs, names in groups.items():
        problems = _find_problems(entries, strings, needs)
        lines |= _predict(entries, problems, names, predictors, coverage)
    rows = []
    for place, entry in enumerate(entries):
        about = {"name": entry.name, **describe_entry(entry, strings[place])}
        if entry.crystal is None:
            rows.append({**about, "message": entry.problem})
        else:
            rows += [{**about, "property": name, **lines[place, name]} for name in properties]
    return _as_table(rows)


def _as_table(rows):
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = [name for name in COLUMNS if name not in _NUMBERS]
    table[texts] = table[texts].astype(object).where(table[texts].notna(), "")
    return table.astype(dict.fromkeys(_NUMBERS, "float32"))  # further digits would be noise


def compose_symmetry_strings(entries):
    """Return the symmetry string of each entry, the error of its symmetry search, or None."""
    from ..symmetry.strings import compose_strings

    places = [place for place, entry in enumerate(entries) if entry.crystal is not None]
    found = [None] * len(entries)
    for place, string in zip(places, compose_strings([entries[i].crystal for i in places])):
        found[place] = string
    return found


def describe_entry(entry, string):
    """Return formula, space group and symmetry string of an entry, as far as they are known."""
    if entry.crystal is None:
        return {}
    about = {"formula": write_formula(entry.crystal.composition)}
    if isinstance(string, Exception):
        return about
    if isinstance(entry.crystal, Crystal):
        from moyopy import SpaceGroupType

        from ..symmetry.parsing import parse_string

        number = parse_string(string).space_group
        about["space_group"] = f"{SpaceGroupType(number).hm_short} ({number})"
    return {**about, "symmetry_string": string}


def _needs(name, predictors):
    """Return "formula" if a property needs no structure, else "structure"."""
    kinds = {predictors[base].card["needs"] for base in bases_of(name)}
    return "structure" if "structure" in kinds else "formula"


def _find_problems(entries, strings, needs):
    """Return the reason why each entry cannot be predicted, or an empty text."""
    from ..predictors.predictor_input import prepare

    problems = []
    for entry, string in zip(entries, strings, strict=True):
        if entry.crystal is None:
            problems.append(entry.problem)
        elif isinstance(string, Exception):
            problems.append(str(string))
        elif needs == "structure" and not isinstance(entry.crystal, Crystal):
            problems.append("needs a crystal structure: upload a file, a formula is not enough")
        else:
            found = prepare(entry.crystal, needs, "this property")
            problems.append(str(found) if isinstance(found, Exception) else "")
    return problems


def _predict(entries, problems, names, predictors, coverage):
    """Return {(place, property): cells} for properties that need the same of a crystal."""
    from ..predictors.predictor_input import read_rows_of
    from ..predictors.property_table import tabulate

    bad = {place: text for place, text in enumerate(problems) if text}
    lines = {(place, name): {"message": text} for place, text in bad.items() for name in names}
    good = [place for place in range(len(entries)) if place not in bad]
    if not good:
        return lines
    needed = {base: predictors[base] for name in names for base in bases_of(name)}
    rows = read_rows_of([entries[place].crystal for place in good])
    table = tabulate(rows, names, needed, coverage).rename(columns={"warning": "message"})
    for cells in table.to_dict("records"):
        place = good[cells["row"]]
        notes = [cells["message"], *entries[place].notes]
        cells["message"] = "; ".join(filter(None, notes))
        lines[place, cells["property"]] = cells
    return lines


def bases_of(name):
    """Return the properties with a predictor from which a property follows."""
    from ..predictors.derived import DERIVED

    return DERIVED[name].inputs if name in DERIVED else (name,)
