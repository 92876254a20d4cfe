"""Displays that look into a fitted model: losses, attention, attributions, embeddings."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudEmbedder, CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.explanations import attention_map, explain_prediction
from sklearn_cloud.plotting import (
    AttentionDisplay,
    AttributionDisplay,
    EmbeddingDisplay,
    LossCurveDisplay,
)

NACL = "0 1 b O O O 0 | 1a Na 1b Cl | Na 0.5 Cl 0.5"


def texts(artists):
    return [artist.get_text() for artist in artists]


def test_losses_in_the_unit_of_the_target(regressor):
    display = LossCurveDisplay.from_estimator(regressor, unit="eV")
    scale = regressor.target_scale_[0]
    train, validation = display.train_line_, display.validation_line_
    assert train.get_xdata().tolist() == list(range(1, 21))
    np.testing.assert_allclose(train.get_ydata(), np.array(regressor.loss_curve_) * scale)
    np.testing.assert_allclose(
        validation.get_ydata(), np.array(regressor.validation_scores_) * scale
    )
    best = regressor.best_epoch_
    kept = (best, regressor.validation_scores_[best - 1] * scale)
    assert display.best_line_.get_xydata()[0] == pytest.approx(kept)
    assert display.ax_.get_ylabel() == "mean absolute error (eV)"
    assert train.get_linestyle() != validation.get_linestyle()


def test_losses_without_validation(pipeline):
    display = LossCurveDisplay.from_estimator(pipeline)
    assert display.validation_line_ is None
    assert display.best_line_.get_ydata()[0] == display.train_line_.get_ydata()[-1]
    assert display.ax_.get_ylabel() == "mean absolute error"


def test_losses_of_a_classifier_and_of_several_targets(classifier, tiny, strings):
    assert LossCurveDisplay.from_estimator(classifier).ax_.get_ylabel() == "cross-entropy (nats)"
    two = CloudRegressor(tiny, max_epochs=1, validation_fraction=0, random_state=0)
    two.fit(strings, np.c_[np.arange(5.0), 100 * np.arange(5.0)])
    display = LossCurveDisplay.from_estimator(two, unit="eV")
    assert display.ax_.get_ylabel() == "standardised mean absolute error"
    assert display.train_line_.get_ydata().tolist() == two.loss_curve_


def test_two_trainings_on_the_same_axes(regressor, classifier):
    first = LossCurveDisplay.from_estimator(regressor, name="a")
    second = LossCurveDisplay.from_estimator(classifier, name="b", ax=first.ax_)
    names = [text[:2] for text in texts(first.ax_.get_legend().get_texts())]
    assert names == ["a:", "a:", "a:", "b:", "b:", "b:"]
    assert first.train_line_.get_color() != second.train_line_.get_color()


def test_scikit_learns_learning_curve_takes_the_pipeline(tiny, crystals):
    from sklearn.model_selection import LearningCurveDisplay

    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(tiny, max_epochs=1))
    display = LearningCurveDisplay.from_estimator(
        model, *crystals, train_sizes=[3, 4], cv=2, scoring="neg_mean_absolute_error"
    )
    assert np.isfinite(display.test_scores).all()


@pytest.mark.parametrize(("layer", "head"), [(None, None), (1, None), (0, 1)])
def test_attention_matrix_is_drawn(regressor, layer, head):
    display = AttentionDisplay.from_estimator(regressor, NACL, layer=layer, head=head)
    attention = attention_map(regressor, NACL)
    drawn = np.asarray(display.image_.get_array())
    np.testing.assert_allclose(drawn, attention.select(layer, head))
    np.testing.assert_allclose(drawn.sum(axis=1), 1, rtol=1e-5)
    off_diagonal = drawn[~np.eye(len(drawn), dtype=bool)]
    assert display.image_.get_clim() == pytest.approx((0, off_diagonal.max()))


def test_attention_labels_are_the_tokens_in_the_colours_of_their_parts(regressor):
    display = AttentionDisplay.from_estimator(regressor, NACL)
    expected = ["[CLS]", *NACL.split(" "), "[SEP]"]
    for labels in (display.ax_.get_xticklabels(), display.ax_.get_yticklabels()):
        assert texts(labels) == expected
        colors = [label.get_color() for label in labels]
        assert len(set(colors[1:8])) == 1  # generator string
        assert colors[1] != colors[9] != colors[14] != colors[1]
        assert colors[0] == colors[8] == colors[-1]  # [CLS], |, [SEP]
    assert texts(display.ax_.get_legend().get_texts()) == [
        "generator string",
        "sites",
        "composition",
    ]


def test_attention_without_labels_and_colorbar(embedder):
    figure, axes = plt.subplots(2, 2)
    display = AttentionDisplay(attention_map(embedder, NACL))
    for layer, row in enumerate(axes):
        for head, ax in enumerate(row):
            display.plot(ax, layer=layer, head=head, labels=False, colorbar=False)
            assert ax.get_title() == f"layer {layer}, head {head}"
            assert not texts(ax.get_xticklabels())
    assert len(figure.axes) == 4


def test_attention_of_a_crystal_in_a_pipeline(pipeline, crystals):
    display = AttentionDisplay.from_estimator(pipeline, crystals[0][1])
    string = pipeline[:-1].transform(crystals[0][1:2])[0]
    assert texts(display.ax_.get_xticklabels())[1:-1] == string.split(" ")


def test_attributions_are_the_bars(regressor):
    display = AttributionDisplay.from_estimator(regressor, NACL, unit="eV")
    explanation = explain_prediction(regressor, NACL)
    heights = [bar.get_height() for bar in display.bars_]
    np.testing.assert_allclose(heights, explanation.attributions[1:-1])
    assert texts(display.ax_.get_xticklabels()) == NACL.split(" ")
    assert display.ax_.get_ylabel() == "attribution (eV)"
    assert display.ax_.get_title(loc="left").startswith("prediction ")


def test_attributions_to_a_probability(classifier):
    display = AttributionDisplay.from_estimator(
        classifier, NACL, target="narrow", method="occlusion"
    )
    assert display.ax_.get_title(loc="left").startswith("probability of narrow 0.")


def test_embedding_map_of_numbers(embedder, strings):
    y = np.array([8.5, 8.4, 1.1, 0.7, 3.6])
    display = EmbeddingDisplay.from_estimator(
        embedder, strings, y, target_name="band gap", unit="eV"
    )
    (scatter,) = display.scatters_.values()
    expected = PCA(2, svd_solver="full").fit_transform(embedder.transform(strings))
    np.testing.assert_allclose(scatter.get_offsets(), expected, atol=1e-5)
    np.testing.assert_array_equal(scatter.get_array(), y)
    assert display.colorbar_.ax.get_ylabel() == "band gap (eV)"
    assert "of the variance" in display.ax_.get_xlabel()


def test_embedding_map_of_classes():
    vectors = np.random.RandomState(0).normal(size=(30, 5))
    y = np.array(list("aaaaaabbbbbcccccdddddeeefffghi"))
    display = EmbeddingDisplay.from_vectors(vectors, y, target_name="prototype")
    assert list(display.scatters_) == ["a", "b", "c", "d", "e", "f", "other"]
    assert [len(s.get_offsets()) for s in display.scatters_.values()] == [6, 5, 5, 5, 3, 3, 3]
    colors = [tuple(s.get_facecolor()[0]) for s in display.scatters_.values()]
    assert len(set(colors)) == 7
    legend = display.ax_.get_legend()
    assert texts(legend.get_texts()) == list(display.scatters_)
    assert legend.get_title().get_text() == "prototype"
    assert display.colorbar_ is None


@pytest.mark.parametrize("y", [None, [True, False, True, False, True]])
def test_embedding_map_without_numbers(embedder, strings, y):
    display = EmbeddingDisplay.from_estimator(embedder, strings, y)
    assert sum(len(s.get_offsets()) for s in display.scatters_.values()) == 5
    assert list(display.scatters_) == (["target"] if y is None else ["True", "False"])


def test_tsne_is_reproducible(embedder, strings):
    first, again, other = (
        EmbeddingDisplay.from_estimator(embedder, strings, method="tsne", random_state=seed)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.coordinates, again.coordinates)
    assert first.coordinates.shape == other.coordinates.shape == (5, 2)
    assert first.ax_.get_xlabel() == "t-SNE 1"


def test_embedding_of_a_fine_tuned_encoder(pipeline, crystals):
    from sklearn_cloud.estimators.vectors import string_vectors

    vectors = string_vectors(pipeline, crystals[0])
    # The head on these vectors gives the predictions.
    model = pipeline[-1]
    import torch

    with torch.inference_mode():
        outputs = model.net_.module_.head(torch.from_numpy(vectors).to(model.device_))
    predicted = outputs.cpu().numpy()[:, 0] * model.target_scale_ + model.target_mean_
    np.testing.assert_allclose(predicted, pipeline.predict(crystals[0]), rtol=1e-4)
    display = EmbeddingDisplay.from_estimator(pipeline, *crystals)
    assert display.coordinates.shape == (8, 2)


def test_embedding_of_a_pipeline_that_ends_in_the_embedder(tiny, crystals):
    model = make_pipeline(SymmetryStringTransformer(), CloudEmbedder(tiny)).fit(crystals[0])
    display = EmbeddingDisplay.from_estimator(model, *crystals)
    expected = PCA(2, svd_solver="full").fit_transform(model.transform(crystals[0]))
    np.testing.assert_allclose(display.coordinates, expected, atol=1e-5)


def test_embedding_of_bad_input(embedder, strings):
    with pytest.raises(ValueError, match="method must be 'pca' or 'tsne', got 'umap'"):
        EmbeddingDisplay.from_estimator(embedder, strings, method="umap")
    with pytest.raises(ValueError, match=r"y of shape \(2,\) does not match 5 samples"):
        EmbeddingDisplay.from_estimator(embedder, strings, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(n_samples, 2\)"):
        EmbeddingDisplay(np.zeros((4, 3)))


@pytest.mark.parametrize(
    "draw",
    [
        LossCurveDisplay.from_estimator,
        lambda model: AttentionDisplay.from_estimator(model, NACL),
        lambda model: AttributionDisplay.from_estimator(model, NACL),
        lambda model: EmbeddingDisplay.from_estimator(model, [NACL]),
    ],
)
def test_displays_say_which_model_they_need(draw):
    with pytest.raises(TypeError, match="CloudRegressor.*got Ridge"):
        draw(make_pipeline(SymmetryStringTransformer(), Ridge()))
    with pytest.raises(NotFittedError):
        draw(CloudRegressor())
