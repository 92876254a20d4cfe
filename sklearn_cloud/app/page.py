"""The page: Streamlit runs this script from top to bottom whenever a user changes something."""

import re

import streamlit as st

from sklearn_cloud.app import server
from sklearn_cloud.app.prediction_table import (
    bases_of,
    compose_symmetry_strings,
    describe_choices,
    describe_entry,
    list_choices,
    predict_entries,
)
from sklearn_cloud.app.structure_picture import MOST_SITES, draw_crystal
from sklearn_cloud.app.uploads import Upload, read_examples, read_uploads
from sklearn_cloud.wording import percent

DEFAULTS = ("formation_energy", "band_gap", "bulk_modulus", "shear_modulus")
COVERAGES = (0.5, 0.68, 0.8, 0.9, 0.95)
MOST_PROBLEMS = 20  # shown; all of them are in the CSV file
KINDS = "CIF, POSCAR, CONTCAR, .vasp, .xsf, extended XYZ or JSON"
INTRODUCTION = (
    "Predictions of the ready-made models of sklearn-cloud. Everything is computed on the machine "
    "where this page was started; nothing is sent elsewhere."
)
MEANING = (
    "The interval contains the true value for about the chosen share of crystals that are like "
    "those of the training table. Where a note says that a crystal is unlike the training "
    "crystals (applicability below 0.05), do not rely on its prediction."
)


def main():
    """Show the page."""
    st.set_page_config(page_title="sklearn-cloud", layout="wide")
    st.title("Properties of crystals")
    st.markdown(INTRODUCTION)
    choices = load_choices()
    if not choices:
        st.error("There are no ready-made predictors in this installation.")
        st.stop()
    files, formulas = ask_crystals(server.limits)
    names, coverage = ask_properties(choices)
    with st.container(horizontal=True):
        wanted = st.button("Predict", type="primary")
        examples = st.button("Try example crystals")
    if examples:
        predict(read_examples(), names, coverage)
    elif wanted:
        uploads = (Upload(file.name, file.getvalue()) for file in files)
        predict(read_uploads(list(uploads), formulas, server.limits), names, coverage)
    if "result" in st.session_state:
        show_result(st.session_state["result"], choices)


@st.cache_resource(show_spinner=False)
def load_choices():
    """Return the labels and units of the properties by name."""
    return list_choices()


@st.cache_resource(show_spinner=False)
def load_once(name):
    """Return the predictor of a property, loaded once for all users."""
    from sklearn_cloud.predictors import load_predictor

    return load_predictor(name, on_error="warn")


def ask_crystals(limits):
    """Return the files and the formulas that the user gives."""
    left, right = st.columns(2)
    files = left.file_uploader(
        f"Crystal files, at most {limits.files}",
        accept_multiple_files=True,
        max_upload_size=limits.megabytes,
        help=KINDS,
    )
    formulas = right.text_area(
        "Formulas, one per line",
        placeholder="NaCl\nFe2O3",
        help="For properties that are known from the composition alone",
        height=110,
    )
    return files, formulas


def ask_properties(choices):
    """Return the names of the properties and the coverage of the intervals."""
    left, right = st.columns([3, 1])
    names = left.multiselect(
        "Properties",
        list(choices),
        default=[name for name in DEFAULTS if name in choices],
        format_func=lambda name: with_unit(*choices[name]),
    )
    coverage = right.select_slider(
        "Coverage of the intervals", COVERAGES, value=0.9, format_func=percent
    )
    return names, coverage


def with_unit(label, unit):
    return f"{label}, {unit}" if unit else label


def predict(entries, names, coverage):
    """Predict, and keep the result while the page is open."""
    st.session_state.pop("result", None)
    if not entries:
        st.info("Upload a file, type a formula, or try the example crystals.")
    elif not names:
        st.info("Choose at least one property.")
    else:
        with st.spinner("Predicting ..."):
            predictors = {base: load_once(base) for name in names for base in bases_of(name)}
            table = predict_entries(entries, names, predictors, coverage)
        st.session_state["result"] = {
            "entries": [entry for entry in entries if entry.crystal is not None],
            "names": names,
            "coverage": coverage,
            "table": table,
        }


def show_result(result, choices):
    """Show the predictions, the rows without one, the file, and each crystal."""
    table = result["table"]
    good = table["value"].notna()
    st.subheader("Predictions")
    if good.any():
        st.dataframe(shown_table(table[good], choices, result["coverage"]), hide_index=True)
    show_problems(table[~good], choices)
    csv = table.to_csv(index=False).encode("utf-8")
    st.download_button("Download all as CSV", csv, "predictions.csv", "text/csv")
    with st.expander("What the numbers mean"):
        st.markdown(MEANING)
        for one in describe_choices(result["names"]).itertuples():
            error = f"Typical error: {one.error}." if one.error else ""
            text = " ".join(filter(None, (f"{one.origin.rstrip('.')}.", error, one.limits)))
            st.markdown(f"**{escape(one.property)}**: {escape(text)}")
    if result["entries"]:
        show_crystal(result, choices)


def shown_table(table, choices, coverage):
    """Return the table for the screen: rounded, with labels."""
    interval = [
        f"{low:.4g} to {high:.4g}" if low == low else ""
        for low, high in zip(table["lower"], table["upper"])
    ]
    return table.assign(
        property=[choices[name][0] for name in table["property"]],
        value=[f"{value:.4g}" for value in table["value"]],
        unit=[choices[name][1] for name in table["property"]],
        interval=interval,
    )[
        ["name", "property", "value", "interval", "unit", "message", "formula", "space_group"]
    ].rename(
        columns={
            "name": "crystal",
            "space_group": "space group",
            "interval": f"{percent(coverage)} interval",
            "message": "note",
        }
    )


def show_problems(bad, choices):
    """Show a message for each row that cannot be predicted."""
    groups = list(bad.groupby(["name", "message"], sort=False))
    for (name, message), rows in groups[:MOST_PROBLEMS]:
        labels = ", ".join(choices[one][0] for one in rows["property"] if one)
        st.warning(escape(": ".join(filter(None, (name, labels, message)))))
    if len(groups) > MOST_PROBLEMS:
        st.warning(f"{len(groups) - MOST_PROBLEMS} more problems are in the CSV file.")


def show_crystal(result, choices):
    """Show one of the crystals: picture, symmetry and predictions."""
    entries = result["entries"]
    st.subheader("Crystal")
    place = st.selectbox(
        "Crystal", range(len(entries)), format_func=lambda i: entries[i].name,
        label_visibility="collapsed",
    )  # fmt: skip
    entry = entries[place]
    (string,) = compose_symmetry_strings([entry])
    about = describe_entry(entry, string)
    left, right = st.columns(2)
    with left:
        show_picture(entry.crystal)
    with right:
        group = about.get("space_group")
        st.markdown(
            f"**{escape(about['formula'])}**" + (f", space group {escape(group)}" if group else "")
        )
        st.markdown("\n".join(f"- {escape(line)}" for line in list_values(place, result, choices)))
        if "symmetry_string" in about:
            st.markdown("Symmetry string, the input of the network:")
            st.code(about["symmetry_string"], language=None, wrap_lines=True)


def list_values(place, result, choices):
    """Return a line for each property of a crystal."""
    n_properties = len(result["names"])
    table = result["table"]
    lines = table[table["property"] != ""].iloc[place * n_properties : (place + 1) * n_properties]
    for row in shown_table(lines, choices, result["coverage"]).itertuples(index=False, name=None):
        _, label, value, interval, unit, note, *_ = row
        text = f"{label}: {value} {unit}".rstrip() if value != "nan" else label
        text += f" ({interval})" if interval else ""
        yield f"{text}; {note}" if note else text


def show_picture(crystal):
    """Show the structure, if there is one."""
    if not hasattr(crystal, "lattice"):
        st.info("A formula has no structure to show.")
        return
    if len(crystal.kinds) > MOST_SITES:
        st.info(f"The cell has more than {MOST_SITES} sites: no picture.")
        return
    picture = st.empty()  # above what turns it
    turn = st.slider("Turn", 0, 360, 20, step=5, format="%d°")
    tilt = st.slider("Tilt", -90, 90, 12, step=3, format="%d°")
    picture.image(draw_crystal(crystal, turn=turn, tilt=tilt))


def escape(text):
    """Return text that Markdown shows as it is: names of files may have links or pictures."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


if __name__ == "__main__":  # as Streamlit runs it
    main()
