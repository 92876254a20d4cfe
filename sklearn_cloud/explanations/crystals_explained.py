"""explain_crystal: how elements, sites, symmetry and cell change a prediction."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from ..crystals.crystal import Crystal, write_formula
from ..crystals.items import as_items
from ..crystals.rows import read_rows
from ..symmetry.search import find_symmetry
from .variants import make_variants, space_group_name

_TITLES = {
    "element": "Elements",
    "site": "Wyckoff positions",
    "symmetry": "Symmetry",
    "cell": "Cell",
}


@dataclass(repr=False)
class CrystalExplanation:
    """A prediction, and how it changes with the crystal.

    Attributes
    ----------
    formula : str
    space_group : str or None
        None for a formula.
    prediction : float
        Predicted value, or probability of `target`.
    contributions : pandas.DataFrame
        One row per change, with the columns kind ("element", "site", "symmetry" or "cell"), name
        (what was changed, such as ``3c O``), instead (what is there instead) and contribution: the
        prediction minus that of the changed crystals. Positive: what is there raises it.
    target : object
        The explained class, None for numbers.
    unit : str or None

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud.explanations import explain_crystal
    >>> from sklearn_cloud.features import ElementFractions
    >>> model = make_pipeline(ElementFractions(), DummyRegressor()).fit(["NaCl", "KCl"], [8.5, 8.3])
    >>> print(explain_crystal(model, "NaCl", unit="eV"))
    NaCl: 8.4 eV
    Elements
      Cl  instead of F, Br  +0 eV
      Na  instead of Li, K  +0 eV
    """

    formula: str
    space_group: str | None
    prediction: float
    contributions: pd.DataFrame
    target: object = None
    unit: str | None = None

    def __repr__(self):
        parts = [self.title]
        for title, rows in self._sections():
            parts.append(title)
            widths = [max(map(len, column)) for column in zip(*rows)]
            parts += [
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                for row in rows
            ]
        return "\n".join(parts)

    def _repr_html_(self):
        body = ""
        for title, rows in self._sections():
            body += f'<tr><th colspan="3" style="text-align:left">{escape(title)}</th></tr>'
            for row in rows:
                body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        return f"<p><b>{escape(self.title)}</b></p><table>{body}</table>"

    @property
    def title(self):
        """Crystal and prediction, such as "NaCl, F m -3 m (225): 8.4 eV"."""
        crystal = (
            self.formula if self.space_group is None else f"{self.formula}, {self.space_group}"
        )
        if self.target is not None:
            return f"{crystal}: probability of {self.target} {self.prediction:.3g}"
        return f"{crystal}: {self._quantity(f'{self.prediction:.3g}')}"

    def _quantity(self, text):
        return f"{text} {self.unit}" if self.unit else text

    def sorted_contributions(self):
        """Return the contributions in the order of the text: by kind, the largest first.

        Returns
        -------
        pandas.DataFrame
            As `contributions`.
        """
        order = {kind: place for place, kind in enumerate(_TITLES)}
        table = self.contributions.assign(
            place=self.contributions["kind"].map(order),
            size=-self.contributions["contribution"].abs(),
        )
        table = table.sort_values(["place", "size"], kind="stable", ignore_index=True)
        return table.drop(columns=["place", "size"])

    def _sections(self):
        for kind, found in self.sorted_contributions().groupby("kind", sort=False):
            yield (
                _TITLES[kind],
                [
                    (
                        row.name,
                        f"instead of {row.instead}",
                        self._quantity(f"{row.contribution:+.3g}"),
                    )
                    for row in found.itertuples(index=False, name="Row")
                ],
            )


def explain_crystal(
    model, crystal, *, target=None, unit=None, substitutes=None, symprec=0.1, random_state=0
):
    """Explain a prediction by what happens to it when the crystal is changed.

    Every element is replaced by its neighbours in the group of the periodic table, everywhere and
    on each of its Wyckoff positions; the atoms are moved at random, so that no symmetry is left;
    and the cell is made larger. A contribution is the prediction minus that of the changed crystal.

    Parameters
    ----------
    model : estimator
        Any fitted model that takes crystals: `CrystalRegressor`, a pipeline, a baseline.
    crystal : structure, path or formula
        As for the model.
    target : label, default=None
        The class whose probability is explained; None means the predicted one.
    unit : str, default=None
        Unit of the predictions.
    substitutes : dict of str to sequence of str, default=None
        Elements to put in place of an element, such as ``{"O": ["S", "Se"]}``; for others, their
        neighbours in the group of the periodic table.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    random_state : int, default=0
        Seed of the moved atoms.

    Returns
    -------
    CrystalExplanation

    Raises
    ------
    TypeError, CrystalError
        If the crystal cannot be read.
    ValueError
        If ``target`` is not a class of the model, or a substitute is not an element.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    explain_prediction : The contributions of the symbols of a string, for CLOUD only.
    nearest_crystals : The training crystals that are most similar.

    Notes
    -----
    The changed crystals are not relaxed, and a model has seen few crystals with moved atoms: the
    contributions say how the model works, not how nature does. They do not add up to the
    prediction.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.explanations import explain_crystal
    >>> from sklearn_cloud.features import SpaceGroupFractions
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> model = make_pipeline(SpaceGroupFractions(), RandomForestRegressor(20, random_state=0))
    >>> explanation = explain_crystal(model.fit(crystals, band_gaps), crystals[40], unit="eV")
    >>> explanation.contributions["kind"].unique().tolist()
    ['element', 'site', 'symmetry', 'cell']
    """
    (explanation,) = _explain(model, [crystal], target, unit, substitutes, symprec, random_state)
    return explanation


def explain_crystals(
    model, X, *, target=None, substitutes=None, symprec=0.1, random_state=0, n_jobs=None
):
    """Explain the predictions of many crystals.

    Parameters
    ----------
    model : estimator
        As for `explain_crystal`.
    X : array-like of shape (n_samples,)
        Crystals.
    target, substitutes, symprec, random_state
        As for `explain_crystal`.
    n_jobs : int, default=None
        Number of joblib workers that read the crystals.

    Returns
    -------
    pandas.DataFrame
        The contributions of `explain_crystal`, with the columns row, formula and prediction in
        front. For a summary, ``groupby(["kind", "name"])``.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As `explain_crystal`; the message names the rows.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud.explanations import explain_crystals
    >>> from sklearn_cloud.features import ElementFractions
    >>> model = make_pipeline(ElementFractions(), DummyRegressor()).fit(["NaCl", "KCl"], [8.5, 8.3])
    >>> table = explain_crystals(model, ["NaCl", "KBr"])
    >>> table.groupby("name")["contribution"].mean().to_dict()
    {'Br': 0.0, 'Cl': 0.0, 'K': 0.0, 'Na': 0.0}
    """
    found = _explain(model, X, target, None, substitutes, symprec, random_state, n_jobs)
    tables = [
        one.contributions.assign(row=row, formula=one.formula, prediction=one.prediction)
        for row, one in enumerate(found)
    ]
    columns = ["row", "formula", "prediction", "kind", "name", "instead", "contribution"]
    return pd.concat(tables, ignore_index=True)[columns]


def _explain(model, X, target, unit, substitutes, symprec, random_state, n_jobs=None):
    """Return the explanation of each crystal; the model predicts all changed crystals at once."""
    check_is_fitted(model)
    crystals = read_rows(as_items(X), n_jobs=n_jobs)
    options = {"substitutes": substitutes, "symprec": symprec, "random_state": random_state}
    variants = [make_variants(crystal, **options) for crystal in crystals]
    all_crystals = crystals + [one.crystal for some in variants for one in some]
    predictions = _Predictions(model, all_crystals)
    found, start = [], len(crystals)
    for row, (crystal, some) in enumerate(zip(crystals, variants)):
        label, column = predictions.column(row, target)
        changed = column[start : start + len(some)]
        start += len(some)
        table = _average(some, column[row] - changed)
        group = None
        if isinstance(crystal, Crystal):
            group = space_group_name(find_symmetry(crystal, symprec=symprec).number)
        formula = write_formula(crystal.composition)
        found.append(CrystalExplanation(formula, group, float(column[row]), table, label, unit))
    return found


class _Predictions:
    """Predicted values, or probabilities of every class."""

    def __init__(self, model, crystals):
        array = np.empty(len(crystals), dtype=object)
        for row, crystal in enumerate(crystals):
            array[row] = crystal
        self.classes = model.classes_.tolist() if is_classifier(model) else None
        self.values = model.predict(array) if self.classes is None else model.predict_proba(array)
        if self.classes is None and self.values.ndim > 1:
            raise ValueError(
                f"explain_crystal explains a single target, but the model predicts "
                f"{self.values.shape[1]}: explain models of one target each."
            )

    def column(self, row, target):
        """Return the explained class, None for numbers, and its values for all crystals."""
        if self.classes is None:
            return None, np.asarray(self.values, dtype=float)
        if target is None:
            target = self.classes[int(self.values[row].argmax())]
        if target not in self.classes:
            raise ValueError(f"target={target!r} is not one of the classes {self.classes}.")
        return target, self.values[:, self.classes.index(target)]


def _average(variants, contributions):
    """Return a table with the mean contribution of the variants of the same change."""
    table = pd.DataFrame(
        {
            "kind": [one.kind for one in variants],
            "name": [one.name for one in variants],
            "instead": [one.instead for one in variants],
            "contribution": contributions,
        }
    )
    groups = table.groupby(["kind", "name"], sort=False)
    return groups.agg(
        instead=("instead", lambda names: ", ".join(dict.fromkeys(names))),
        contribution=("contribution", "mean"),
    ).reset_index()
