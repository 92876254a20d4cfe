"""Draw the figures of the page on explanations, docs/images/explain_*.png.

    python docs/make_explain_figures.py

Two models of the example band gaps explain SrTiO3: the forest of the page, by changes of the
crystal, and CLOUD, by the symbols of the string.
"""

from pathlib import Path

import matplotlib
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.datasets import load_example
from sklearn_cloud.features import SpaceGroupFractions
from sklearn_cloud.plotting import AttributionDisplay, ContributionDisplay

matplotlib.use("Agg")

IMAGES = Path(__file__).parent / "images"


def main():
    data = load_example()
    titanate = data.structures[(data.frame["formula"] == "SrTiO3").argmax()]
    save("crystal", explain_by_changes(data, titanate))
    save("symbols", explain_by_symbols(data, titanate))


def explain_by_changes(data, crystal):
    model = make_pipeline(SpaceGroupFractions(), RandomForestRegressor(50, random_state=0))
    model.fit(data.structures, data.target)
    return ContributionDisplay.from_estimator(model, crystal, unit="eV")


def explain_by_symbols(data, crystal):
    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(random_state=0))
    model.fit(data.structures, data.target)
    return AttributionDisplay.from_estimator(model, crystal, unit="eV")


def save(name, display):
    path = IMAGES / f"explain_{name}.png"
    display.figure_.savefig(path, dpi=130, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    main()
