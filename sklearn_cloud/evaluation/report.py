"""The result of `evaluate_model`: scores, predictions and a learning curve."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._version import __version__
from ..files import locked, write_text
from .json_values import plain, records
from .own_folds import CVS

HTML_FILE, JSON_FILE = "report.html", "report.json"
N_WORST = 20
_NORMAL = 1.96  # standard errors of a 95 % interval


@dataclass
class Report:
    """Predictions of every row by models that were not fitted on it, and what follows from them.

    Attributes
    ----------
    predictions : pandas.DataFrame
        One row per prediction, with the columns cv, fold, row, id, formula and true; ``predicted:``
        and ``error:`` with the name of each model (the absolute error, or 1 minus the probability
        of the true class); and lower, upper and applicability, if the model has them. A crystal
        has one row for each element of it that was left out.
    folds : pandas.DataFrame
        One row per fold, with the columns cv, fold, n_train, n_test and ``seconds:`` with the name
        of each model.
    learning_curve : pandas.DataFrame or None
        One row per size of the training set: n_train and the mean ``error:`` of each model.
    settings : dict
        What was evaluated.
    target, unit : str
        Name and unit of the target; the unit may be None.
    classification : bool
        Whether the target has classes.
    models : list of str
        Names of the models; the first is the one evaluated, the others are for comparison.
    coverage : float
        Nominal coverage of the intervals.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.evaluation import evaluate_model
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> report = evaluate_model(crystals[::6], band_gaps[::6], model="forest", n_folds=2)
    >>> report.worst(n=2)["formula"].tolist()
    ['MgF2', 'BeO']
    """

    predictions: pd.DataFrame
    folds: pd.DataFrame
    learning_curve: pd.DataFrame | None
    settings: dict
    target: str
    unit: str | None
    classification: bool
    models: list
    coverage: float

    @classmethod
    def _from_rows(cls, rows, points, *, y, ids, formulas, **fields):
        """Build the tables from the results of every fold."""
        models, classification = fields["models"], fields["classification"]
        tables, folds = [], []
        for cv, fold, test, n_train, results in rows:
            table = {"cv": cv, "fold": fold, "row": test, "true": y[test]}
            table["id"] = [ids[row] for row in test]
            table["formula"] = [formulas[row] for row in test]
            for model in models:
                table[f"predicted:{model}"] = results[model]["predicted"]
                table[f"error:{model}"] = _errors(results[model], y[test], classification)
            main = results[models[0]]
            if "interval" in main:
                table["lower"], table["upper"] = main["interval"].T
            if "applicability" in main:
                table["applicability"] = main["applicability"]
            tables.append(pd.DataFrame(table))
            seconds = {f"seconds:{model}": results[model]["seconds"] for model in models}
            folds.append({"cv": cv, "fold": fold, "n_train": n_train, "n_test": len(test)})
            folds[-1] |= seconds
        return cls(
            predictions=pd.concat(tables, ignore_index=True),
            folds=pd.DataFrame(folds),
            learning_curve=_join_points(points, y, models, classification),
            **fields,
        )

    @property
    def cvs(self):
        """The ways in which folds were made."""
        return self.settings["cv"]

    def of(self, cv=None):
        """Return the predictions of one way to make folds.

        Parameters
        ----------
        cv : str, default=None
            None means the first.

        Returns
        -------
        pandas.DataFrame
        """
        return self.predictions[self.predictions["cv"] == (cv or self.cvs[0])]

    def scores(self):
        """Return the scores of each model for each ``cv``.

        Returns
        -------
        pandas.DataFrame
            Indexed by cv and model. For numbers, mae with its 95 % interval (mae_low, mae_high:
            what other crystals of the same kind may give), rmse and r2; for classes, accuracy with
            its interval, balanced_accuracy and log_loss. ``better_by`` is how much smaller the
            error of the evaluated model is than that of this one, with its interval; and seconds
            for all fits.
        """
        score = self._class_scores if self.classification else self._number_scores
        table = {}
        for cv in self.cvs:
            found, folds = self.of(cv), self.folds[self.folds["cv"] == cv]
            for model in self.models:
                gain = self._wrong(found, model) - self._wrong(found, self.models[0])
                mean, half = _mean_of_crystals(found, gain)
                compared = {
                    "better_by": mean,
                    "better_low": mean - half,
                    "better_high": mean + half,
                }
                if model == self.models[0]:
                    compared = dict.fromkeys(compared, np.nan)
                seconds = folds[f"seconds:{model}"].sum()
                table[cv, model] = {**score(found, model), **compared, "seconds": seconds}
        return pd.DataFrame.from_dict(table, orient="index").rename_axis(["cv", "model"])

    def _wrong(self, found, model):
        """Return the errors: absolute, or whether the class is wrong."""
        if self.classification:
            return (found[f"predicted:{model}"] != found["true"]).astype(float)
        return found[f"error:{model}"]

    def _number_scores(self, found, model):
        error, half = _mean_of_crystals(found, found[f"error:{model}"])
        squares = found[f"error:{model}"] ** 2
        spread = ((found["true"] - found["true"].mean()) ** 2).sum()
        return {
            "mae": error,
            "mae_low": error - half,
            "mae_high": error + half,
            "rmse": np.sqrt(squares.mean()),
            "r2": 1 - squares.sum() / spread if spread else np.nan,
        }

    def _class_scores(self, found, model):
        wrong = self._wrong(found, model)
        mean, half = _mean_of_crystals(found, wrong)
        chances = np.clip(1 - found[f"error:{model}"], 1e-15, 1)
        without = chances.isin([1e-15, 1]).all()  # there are labels, but no probabilities
        return {
            "accuracy": 1 - mean,
            "accuracy_low": max(0.0, 1 - mean - half),
            "accuracy_high": min(1.0, 1 - mean + half),
            "balanced_accuracy": 1 - wrong.groupby(found["true"]).mean().mean(),
            "log_loss": np.nan if without else -np.log(chances).mean(),
        }

    def intervals(self, cv=None):
        """Return coverage and mean width of the prediction intervals.

        Parameters
        ----------
        cv : str, default=None
            None means the first.

        Returns
        -------
        dict or None
            With nominal and observed coverage, and the mean width in the unit of the target; None
            if the model has no intervals.
        """
        found = self.of(cv)
        if "lower" not in found:
            return None
        inside = (found["lower"] <= found["true"]) & (found["true"] <= found["upper"])
        width = (found["upper"] - found["lower"]).mean()
        return {
            "nominal": self.coverage,
            "observed": float(inside.mean()),
            "mean_width": float(width),
        }

    def worst(self, cv=None, n=N_WORST):
        """Return the predictions with the largest errors of the evaluated model.

        Parameters
        ----------
        cv : str, default=None
            None means the first.
        n : int, default=20

        Returns
        -------
        pandas.DataFrame
            Rows of ``predictions``, each crystal once.
        """
        found = self.of(cv).sort_values(f"error:{self.models[0]}", ascending=False, kind="stable")
        return found.drop_duplicates("row").head(n)

    def fold_scores(self, cv=None):
        """Return the mean error of each fold.

        Parameters
        ----------
        cv : str, default=None
            None means the first.

        Returns
        -------
        pandas.DataFrame
            Indexed by fold (the element or space group that was left out), with n_train, n_test
            and, for each model, the mean absolute error or the accuracy.
        """
        cv = cv or self.cvs[0]
        found = self.of(cv)
        table = self.folds[self.folds["cv"] == cv].set_index("fold")[["n_train", "n_test"]]
        for model in self.models:
            wrong = self._wrong(found, model).groupby(found["fold"]).mean()
            table[model] = 1 - wrong if self.classification else wrong
        return table

    def to_dict(self):
        """Return everything as lists and dictionaries for JSON; missing numbers are None."""
        validations = {}
        scores = self.scores()
        for cv in self.cvs:
            validations[cv] = {
                "description": CVS[cv],
                "scores": records(scores.loc[cv].reset_index()),
                "intervals": self.intervals(cv),
                "folds": records(self.fold_scores(cv).reset_index()),
                "worst": records(self.worst(cv)),
                "predictions": records(self.of(cv).drop(columns="cv")),
            }
        curve = self.learning_curve
        return {
            "sklearn_cloud": __version__,
            "task": "classification" if self.classification else "regression",
            "target": self.target,
            "unit": self.unit,
            "n_rows": int(self.predictions["row"].nunique()),
            "models": self.models,
            "settings": plain(self.settings),
            "validations": validations,
            "learning_curve": None if curve is None else records(curve),
        }

    def to_html(self):
        """Return the report as one HTML page that loads nothing from elsewhere."""
        from .report_html import write_page

        return write_page(self)

    def write(self, folder):
        """Write ``report.html`` and ``report.json``.

        Parameters
        ----------
        folder : str or path-like
            Created if needed; an earlier report in it is replaced.
        """
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        page = self.to_html()
        Path(folder).mkdir(parents=True, exist_ok=True)
        with locked(folder):
            write_text(Path(folder, JSON_FILE), text + "\n")
            write_text(Path(folder, HTML_FILE), page)


def _errors(result, y, classification):
    if not classification:
        return np.abs(result["predicted"] - y)
    if "probability" in result:
        return 1 - result["probability"]
    return (result["predicted"] != y).astype(float)


def _mean_of_crystals(found, values):
    """Return the mean, and half of its 95 % interval; rows of one crystal count as one."""
    of_crystal = values.groupby(found["row"]).mean()
    half = _NORMAL * of_crystal.std(ddof=1) / np.sqrt(len(of_crystal))
    return float(of_crystal.mean()), float(half)


def _join_points(points, y, models, classification):
    """Return the mean errors by number of training rows; folds of one size differ by a row."""
    sizes, errors = {}, {}
    for _, fold, test, n_train, results in points:
        point = sum(key[0] == fold for key in sizes)  # the folds come once for every size
        sizes[fold, point] = n_train
        for model in models:
            predicted = results[model]["predicted"]
            wrong = predicted != y[test] if classification else np.abs(predicted - y[test])
            errors.setdefault(point, {}).setdefault(model, []).extend(wrong)
    if not errors:
        return None
    rows = []
    for point, of_model in errors.items():
        n_train = min(size for (_, one), size in sizes.items() if one == point)
        means = {f"error:{model}": float(np.mean(of_model[model])) for model in models}
        rows.append({"n_train": n_train, **means})
    return pd.DataFrame(rows)
