"""The card of a predictor: data, recipe, errors and limits, as text, HTML or a page."""

import html

from ..wording import percent


class PredictorCard:
    """What a user has to know about a predictor.

    Parameters
    ----------
    content : dict
        Content of its ``card.json``.

    Examples
    --------
    >>> from sklearn_cloud.predictors import load_predictor
    >>> card = load_predictor("bulk_modulus").card  # doctest: +SKIP
    >>> card["unit"], card["data"]["rows"]  # doctest: +SKIP
    ('GPa', 10876)
    """

    def __init__(self, content):
        self.content = content

    def __getitem__(self, key):
        return self.content[key]

    def __eq__(self, other):
        return isinstance(other, PredictorCard) and self.content == other.content

    __hash__ = None

    def __repr__(self):
        return f"PredictorCard({self['name']!r})"

    def __str__(self):
        lines = [self.title, "=" * len(self.title), ""]
        for name, rows in self.tables().items():
            width = max(len(label) for label, _ in rows)
            lines += [name, *(f"  {label:{width}}  {text}" for label, text in rows), ""]
        return "\n".join(lines).rstrip() + "\n"

    def _repr_html_(self):
        parts = [f"<h4>{html.escape(self.title)}</h4>"]
        for name, rows in self.tables().items():
            cells = "".join(
                f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
                f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
                for label, text in rows
            )
            parts.append(f"<details open><summary>{html.escape(name)}</summary>")
            parts.append(f"<table>{cells}</table></details>")
        return "\n".join(parts)

    def to_rst(self):
        """Return the card as a page of reStructuredText."""
        name = self["name"]
        lines = [name, "=" * len(name), "", _first_upper(self["label"]) + "."]
        for title, rows in self.tables().items():
            lines += ["", title, "-" * len(title), "", ".. list-table::", "   :stub-columns: 1", ""]
            for label, text in rows:
                lines += [f"   * - {_escape(label)}", f"     - {_escape(text)}"]
        return "\n".join(lines) + "\n"

    @property
    def title(self):
        """Name and unit, such as ``bulk_modulus (GPa)``."""
        return f"{self['name']} ({self['unit']})" if self["unit"] else self["name"]

    @property
    def error(self):
        """The main score in a few words."""
        scores = self["scores"]
        if self["kind"] == "classification":
            return f"{percent(scores['accuracy'], 1)} right"
        if "median_relative_error" in scores:
            return f"{percent(scores['median_relative_error'], 1)} (median)"
        return f"{scores['mae']:.3g} {self['unit']}".rstrip()

    def tables(self):
        """Return {title: [(label, text), ...]} of all parts of the card."""
        found = {
            "Property": self._property(),
            "Training data": self._data(),
            "Errors on rows that were left out": self._scores(),
            "By chemistry": self._groups("chemistry"),
            "By similarity to the training crystals": self._groups("novelty"),
            "Made with": self._origin(),
        }
        return {title: rows for title, rows in found.items() if rows}

    def _property(self):
        needs = {
            "structure": "a crystal structure",
            "formula": "a formula; the structure is not used",
        }
        return [
            ("property", self["label"]),
            ("unit", self["unit"] or "none"),
            ("needs", needs[self["needs"]]),
            ("data from", self["method"]),
            ("known limits", self["note"]),
        ]

    def _data(self):
        data = self["data"]
        rows = [
            ("table", data["table"]),
            ("rows", f"{data['rows']:,} of {data['official_rows']:,}"),
            ("elements", f"{len(data['elements'])}: {' '.join(data['elements'])}"),
        ]
        if self["kind"] == "regression":
            spread = {key: value for key, value in data["target"].items() if key != "unit"}
            text = ", ".join(f"{quantile}: {value:.3g}" for quantile, value in spread.items())
            rows.append(("percentiles", f"{text} {self.table_unit}".rstrip()))
        return [*rows, ("source", data["source"]), ("licence", data["licence"])]

    @property
    def table_unit(self):
        """Unit of the training table, which may have the logarithm."""
        unit = self["data"]["target"]["unit"]
        return "" if unit in (None, "unitless") else unit

    def _scores(self):
        scores, unit = self["scores"], self.table_unit
        rows = [("how", self["protocol"]["text"])]
        if self["kind"] == "classification":
            rows += [
                ("accuracy", f"{scores['accuracy']:.3f}"),
                ("always the most frequent class", f"{scores['of_most_frequent_class']:.3f}"),
                ("area under the ROC curve, as MatBench: of labels", f"{scores['rocauc']:.3f}"),
            ]
        else:
            rows += [
                ("mean absolute error", f"{scores['mae']:.4g} {unit}".rstrip()),
                ("root mean squared error", f"{scores['rmse']:.4g} {unit}".rstrip()),
                ("error of the median", f"{scores['of_median']:.4g} {unit}".rstrip()),
                (
                    f"coverage of the {percent(scores['nominal_coverage'])} interval",
                    percent(scores["coverage"], 1),
                ),
            ]
        if "mae_alone" in scores:
            label = f"mean absolute error without {self['zero_if']['name']}"
            rows.append((label, f"{scores['mae_alone']:.4g} {unit}".rstrip()))
        if "mae_in_unit" in scores:
            rows += [
                (f"mean absolute error in {self['unit']}", f"{scores['mae_in_unit']:.3g}"),
                ("median relative error", percent(scores["median_relative_error"], 1)),
            ]
        rows += [(f"member {name}", f"{value:.4g}") for name, value in scores["members"].items()]
        if best := self["published"]:
            text = f"{best['metric']} {best['value']:.4g}, {best['model']} ({best['source']})"
            rows.append(("best published", text))
        return rows

    def _groups(self, name):
        groups = [*self[name], *(self["unseen_elements"] if name == "novelty" else ())]
        return [(group["group"], self._errors(group)) for group in groups]

    def _errors(self, group):
        if "accuracy" in group:
            return f"{group['rows']:,} rows, accuracy {group['accuracy']:.3f}"
        error = f"{group['mae']:.4g} {self.table_unit}".rstrip()
        return f"{group['rows']:,} rows, error {error}, coverage {percent(group['coverage'], 1)}"

    def _origin(self):
        weights = self["protocol"]["weights"]
        rows = [
            ("members", ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())),
            ("size", f"{self['bytes'] / 1e6:.2f} MB"),
            ("seconds", f"{self['seconds']:,}"),
        ]
        given = {"command": "command", "date": "date", "machine": "machine"}
        rows += [(label, self.content[key]) for key, label in given.items() if key in self.content]
        versions = self.content.get("versions", {})
        rows.append(("versions", ", ".join(f"{name} {v}" for name, v in versions.items())))
        return rows


def _first_upper(text):
    return text[0].upper() + text[1:]


def _escape(text):
    """Return text that reStructuredText shows as it is."""
    for character in "\\*`|_":
        text = text.replace(character, f"\\{character}")
    return text
