"""skops: a whole fitted pipeline in one file, and nothing run that was not trusted."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from skops import io
from skops.io.exceptions import UntrustedTypesFoundException

from sklearn_cloud import CloudClassifier, CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.encoder import EncoderConfig

FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "ZnS", "Si", "GaAs", "LiF", "AgBr", "CdTe"] * 3
GAPS = np.array([8.5, 8.4, 7.8, 7.1, 3.6, 1.1, 1.4, 13.0, 2.7, 1.5] * 3)


@pytest.mark.parametrize("kind", [CloudRegressor, CloudClassifier])
def test_pipeline(kind, tmp_path):
    tiny = EncoderConfig(n_layers=1, n_heads=2, width=16)
    model = make_pipeline(SymmetryStringTransformer(), kind(tiny, max_epochs=2, random_state=0))
    model.fit(FORMULAS, GAPS if kind is CloudRegressor else GAPS > 5)
    io.dump(model, tmp_path / "model.skops")
    with pytest.raises(UntrustedTypesFoundException, match=kind.__name__):
        io.load(tmp_path / "model.skops")
    types = io.get_untrusted_types(file=tmp_path / "model.skops")
    assert types and all(name.startswith("sklearn_cloud.") for name in types)
    loaded = io.load(tmp_path / "model.skops", trusted=types)
    np.testing.assert_array_equal(loaded.predict(FORMULAS), model.predict(FORMULAS))
    assert loaded[-1].get_params() == model[-1].get_params()
