"""skrub's report of a table of crystals."""

import pytest

skrub = pytest.importorskip("skrub", reason="needs skrub")


def test_report_of_a_table_of_crystals():
    # [start]
    import pandas as pd
    from skrub import TableReport

    from sklearn_cloud.datasets import describe_crystals, load_example

    data = load_example()
    table = pd.concat([describe_crystals(data.structures), data.frame["band_gap"]], axis=1)
    report = TableReport(table, title="Band gaps", verbose=0)
    page = report.html()
    # [end]
    assert "space_group" in page
    assert "band_gap" in page


def test_data_ops():
    # [start data ops]
    import pandas as pd
    import skrub
    from sklearn.model_selection import KFold

    from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
    from sklearn_cloud.datasets import load_example

    crystals, band_gaps = load_example(return_X_y=True)
    table = pd.DataFrame({"structure": crystals[::6], "band_gap": band_gaps[::6]})

    rows = skrub.var("rows", table)
    X = rows[["structure"]].skb.mark_as_X()
    y = rows["band_gap"].skb.mark_as_y()
    strings = X.skb.apply(SymmetryStringTransformer())
    predicted = strings.skb.apply(CloudRegressor(max_epochs=2, random_state=0), y=y)

    folds = KFold(3, shuffle=True, random_state=0)
    scores = predicted.skb.cross_validate(cv=folds, scoring="neg_mean_absolute_error")
    learner = predicted.skb.make_learner(fitted=True)
    new = learner.predict({"rows": table[:4]})
    # [end data ops]
    assert len(scores) == 3 and (scores["test_score"] < 0).all()
    regressor = CloudRegressor(max_epochs=2, random_state=0)
    strings = SymmetryStringTransformer().fit_transform(table["structure"])
    regressor.fit(strings, table["band_gap"])
    assert new == pytest.approx(regressor.predict(strings[:4]), rel=1e-5)


def test_tabular_pipeline_on_features():
    # [start tabular]
    from sklearn.pipeline import make_pipeline
    from skrub import tabular_pipeline

    from sklearn_cloud.datasets import load_example
    from sklearn_cloud.features import MagpieFeatures

    crystals, band_gaps = load_example(return_X_y=True)
    features = MagpieFeatures().set_output(transform="pandas")
    model = make_pipeline(features, tabular_pipeline("regressor"))
    model.fit(crystals[::6], band_gaps[::6]).predict(crystals[:3])
    # [end tabular]
    assert model.score(crystals[::6], band_gaps[::6]) > 0.5
