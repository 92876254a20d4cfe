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
