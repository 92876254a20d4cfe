"""What a notebook shows: estimators as HTML, progress, and a fit that is interrupted."""

import html
import re

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudClassifier, CloudEmbedder, CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import EncoderConfig

TINY = EncoderConfig(n_layers=1, n_heads=2, width=16)


def plain(page):
    return html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))


@pytest.mark.parametrize("kind", [CloudRegressor, CloudClassifier, CloudEmbedder])
def test_html_of_an_estimator(kind):
    shown = plain(kind(TINY)._repr_html_())
    assert kind.__name__ in shown
    assert "EncoderConfig(n_layers=1" in shown
    assert "Not fitted" in shown


def test_html_of_a_fitted_pipeline():
    crystals, gaps = load_example(return_X_y=True)
    model = make_pipeline(
        SymmetryStringTransformer(sites="set"), CloudRegressor(TINY, max_epochs=1)
    )
    assert "Not fitted" in plain(model._repr_html_())
    shown = plain(model.fit(crystals[:12], gaps[:12])._repr_html_())
    assert "SymmetryStringTransformer" in shown and "CloudRegressor" in shown
    assert "Fitted" in shown and "Not fitted" not in shown
    assert set(model._repr_mimebundle_()) == {"text/plain", "text/html"}


def interrupt_in_epoch(number, monkeypatch):
    """Press Ctrl-C in the middle of an epoch."""
    from sklearn_cloud.training.callbacks import BestEpoch

    def press(self, net, **kwargs):
        if self.n_epochs_ == number - 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(BestEpoch, "on_batch_begin", press)


def test_interrupted_cross_validation_ends_at_once(monkeypatch):
    interrupt_in_epoch(2, monkeypatch)
    crystals, gaps = load_example(return_X_y=True)
    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(TINY, max_epochs=3))
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(model, crystals[:20], gaps[:20], cv=2)


def test_interrupted_pipeline_keeps_its_best_epoch(monkeypatch):
    interrupt_in_epoch(3, monkeypatch)
    crystals, gaps = load_example(return_X_y=True)
    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(TINY, max_epochs=9))
    with pytest.raises(KeyboardInterrupt, match="after 2 of 9 epochs; the weights of epoch"):
        model.fit(crystals[:20], gaps[:20])
    fitted = model[-1]
    assert fitted.n_iter_ == len(fitted.validation_scores_) == 2
    assert fitted.best_epoch_ == 1 + np.argmin(fitted.validation_scores_)
    assert np.isfinite(model.predict(crystals[:3])).all()
