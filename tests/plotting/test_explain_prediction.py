import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudClassifier, CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.explanations import attention_map, explain_dataset, explain_prediction
from sklearn_cloud.explanations.tokens import name_tokens

NACL = "0 1 b O O O 0 | 1a Na 1b Cl | Na 0.5 Cl 0.5"
METHODS = ["integrated_gradients", "occlusion"]


def masked_predictions(model, string):
    """Predictions with all, and with each, of the tokens masked, by hand."""
    import torch

    ids = model.tokenizer_.encode(string)
    keep = [i for i, token in enumerate(["[CLS]", *string.split(" "), "[SEP]"])
            if token in ("[CLS]", "|", "[SEP]")]  # fmt: skip
    mask = model.tokenizer_.mask_id
    everything = [i if n in keep else mask for n, i in enumerate(ids)]
    single = [ids[:n] + [i if n in keep else mask] + ids[n + 1 :] for n, i in enumerate(ids)]
    with torch.inference_mode():
        outputs = model.net_.module_(torch.tensor([everything, *single]))
    if isinstance(model, CloudClassifier):
        return outputs.softmax(dim=1).numpy()
    return outputs.numpy() * model.target_scale_ + model.target_mean_


def test_integrated_gradients_add_up_to_the_difference(regressor, strings):
    for string in strings:
        explanation = explain_prediction(regressor, string)
        difference = explanation.prediction - explanation.baseline
        assert explanation.attributions.sum() == pytest.approx(difference, abs=1e-4)
        assert abs(difference) > 1e-2
        assert explanation.prediction == pytest.approx(regressor.predict([string])[0], rel=1e-5)
        assert explanation.baseline == pytest.approx(masked_predictions(regressor, string)[0, 0])


def test_integrated_gradients_of_a_class_add_up(classifier):
    probabilities = classifier.predict_proba([NACL])[0]
    for target, probability in zip(classifier.classes_, probabilities):
        explanation = explain_prediction(classifier, NACL, target=target)
        assert explanation.prediction == pytest.approx(probability)
        difference = explanation.prediction - explanation.baseline
        assert explanation.attributions.sum() == pytest.approx(difference, abs=1e-5)
        assert abs(difference) > 1e-4
        assert (explanation.target, explanation.is_probability) == (target, True)


def test_attributions_to_two_classes_are_opposite(classifier):
    narrow, wide = (
        explain_prediction(classifier, NACL, target=t).attributions for t in ("narrow", "wide")
    )
    np.testing.assert_allclose(narrow, -wide, atol=1e-6)


def test_the_predicted_class_is_explained(classifier, strings):
    for string in strings:
        explanation = explain_prediction(classifier, string, method="occlusion")
        assert explanation.target == classifier.predict([string])[0]


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_occlusion_masks_one_token_at_a_time(kind, request):
    model = request.getfixturevalue(kind)
    explanation = explain_prediction(model, NACL, method="occlusion")
    column = list(model.classes_).index(explanation.target) if kind == "classifier" else 0
    baseline, *without = masked_predictions(model, NACL)[:, column]
    np.testing.assert_allclose(
        explanation.attributions, explanation.prediction - np.array(without), atol=1e-5
    )
    assert explanation.baseline == pytest.approx(baseline, abs=1e-5)
    assert np.abs(explanation.attributions).max() > 1e-4


@pytest.fixture(scope="module")
def fluorides(tiny):
    """A model of a target that fluorine decides alone, and the strings."""
    cations = ["Li", "Na", "K", "Rb"]
    strings = [f"1a 1b | {c} 0.5 {a} 0.5" for c in cations for a in ("F", "Br")]
    y = np.array([float("F" in string) for string in strings * 6])
    model = CloudRegressor(
        tiny, max_epochs=15, learning_rate=1e-2, dropout=0, validation_fraction=0, random_state=0
    )
    return model.fit(strings * 6, y), strings


@pytest.mark.parametrize("method", METHODS)
def test_a_token_that_decides_alone_is_found(fluorides, method):
    model, strings = fluorides
    for string, deciding in ((strings[0], "F"), (strings[1], "Br")):
        frame = explain_prediction(model, string, method=method).to_frame()
        assert frame.loc[frame["attribution"].abs().idxmax(), "token"] == deciding
    table = explain_dataset(model, strings, by="element", method=method)
    assert set(table.index[:2]) == {"F", "Br"}
    assert table.loc["F", "mean"] > table.loc["Br", "mean"] + 0.5


def test_special_tokens_have_no_share(regressor):
    for method in METHODS:
        frame = explain_prediction(regressor, NACL, method=method).to_frame()
        assert list(frame.columns) == ["token", "part", "attribution"]
        assert frame["token"].tolist() == ["[CLS]", *NACL.split(" "), "[SEP]"]
        special = frame["part"] == "special"
        assert set(frame["token"][special]) == {"[CLS]", "|", "[SEP]"}
        assert (frame["attribution"][special] == 0).all()
        assert (frame["attribution"][~special] != 0).all()


def test_a_column_of_several_targets(tiny, strings):
    y = np.c_[np.arange(5.0), -100 * np.arange(5.0)]
    model = CloudRegressor(tiny, max_epochs=2, validation_fraction=0, random_state=0)
    model.fit(strings, y)
    for column in (0, 1):
        explanation = explain_prediction(model, NACL, target=column)
        assert explanation.prediction == pytest.approx(model.predict([NACL])[0, column])
        difference = explanation.prediction - explanation.baseline
        assert explanation.attributions.sum() == pytest.approx(difference, abs=1e-3)
    with pytest.raises(ValueError, match="target=2 is not one of 2 columns"):
        explain_prediction(model, NACL, target=2)


def test_a_crystal_and_its_string_are_explained_alike(pipeline, crystals):
    crystal = crystals[0][2]
    string = pipeline[:-1].transform([crystal])[0]
    of_crystal, of_string = (explain_prediction(pipeline, x) for x in (crystal, string))
    assert of_crystal.string == of_string.string == string
    np.testing.assert_array_equal(of_crystal.attributions, of_string.attributions)
    bare = explain_prediction(pipeline[-1], string)
    np.testing.assert_array_equal(bare.attributions, of_crystal.attributions)
    assert of_crystal.prediction == pytest.approx(pipeline.predict([crystal])[0])


def test_a_formula_goes_through_the_pipeline(pipeline):
    assert explain_prediction(pipeline, "NaCl").string == "Na 0.5 Cl 0.5"


def test_a_pipeline_of_the_estimator_alone(regressor):
    alone = explain_prediction(make_pipeline(regressor), NACL)
    np.testing.assert_array_equal(
        alone.attributions, explain_prediction(regressor, NACL).attributions
    )


def test_explaining_changes_nothing(regressor, strings):
    import torch

    before = regressor.predict(strings)
    state = torch.get_rng_state()
    parameters = list(regressor.net_.module_.parameters())
    gradients = [None if p.grad is None else p.grad.clone() for p in parameters]
    for method in METHODS:
        explain_prediction(regressor, NACL, method=method)
    attention_map(regressor, NACL)
    assert torch.equal(torch.get_rng_state(), state)
    assert (regressor.predict(strings) == before).all()
    for parameter, gradient in zip(parameters, gradients):
        assert parameter.grad is gradient or torch.equal(parameter.grad, gradient)


def test_dropout_is_off_after_a_fit_without_validation(tiny, strings):
    model = CloudRegressor(
        tiny, dropout=0.5, max_epochs=1, validation_fraction=0, random_state=0
    ).fit(strings, np.arange(5.0))
    first, again = (explain_prediction(model, NACL).attributions for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "lime"}, "method must be 'integrated_gradients' or 'occlusion', got 'lime'"),
        ({"n_steps": 0}, "n_steps must be a positive integer, got 0"),
        ({"target": 1}, "target=1 is not one of 1 columns"),
    ],
)
def test_bad_options(regressor, options, message):
    with pytest.raises(ValueError, match=message):
        explain_prediction(regressor, NACL, **options)


def test_unknown_class(classifier):
    with pytest.raises(ValueError, match="target='metal' is not one of the classes"):
        explain_prediction(classifier, NACL, target="metal")


def test_bad_models_and_crystals(regressor, embedder, pipeline):
    with pytest.raises(NotFittedError):
        explain_prediction(CloudRegressor(), NACL)
    with pytest.raises(TypeError, match="CloudRegressor or CloudClassifier.*got CloudEmbedder"):
        explain_prediction(embedder, NACL)
    with pytest.raises(TypeError, match="regressor_"):
        explain_prediction(TransformedTargetRegressor(regressor), NACL)
    with pytest.raises(TypeError, match="SymmetryStringTransformer"):
        explain_prediction(regressor, 7)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        explain_prediction(regressor, "1a Xx | Na 1.0")
    with pytest.raises((TypeError, ValueError)):
        explain_prediction(pipeline, "no crystal")


def test_saved_models_explain_alike(tmp_path, regressor):
    regressor.save_pretrained(tmp_path)
    loaded = CloudRegressor.from_pretrained(tmp_path)
    np.testing.assert_allclose(
        explain_prediction(loaded, NACL).attributions,
        explain_prediction(regressor, NACL).attributions,
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("string", "parts"),
    [
        ("0 1 b O O O 0 | 4a O x2 | O 1.0", "ggggggg|sss|cc"),
        ("1 1 b O O O 0 | 1a", "ggggggg|s"),
        ("1a O 1b", "sss"),
        ("O 1.0", "cc"),
        ("0 1 b O O O 0 | O 1.0", "ggggggg|cc"),
    ],
)
def test_parts_of_tokens(string, parts):
    from sklearn_cloud.encoder import SymmetryTokenizer

    tokenizer = SymmetryTokenizer()
    tokens, named = name_tokens(tokenizer, tokenizer.encode(string))
    assert tokens == ("[CLS]", *string.split(" "), "[SEP]")
    letters = {"generator": "g", "sites": "s", "composition": "c", "special": "|"}
    assert "".join(letters[part] for part in named) == f"|{parts}|"


def test_parts_of_the_pieces_of_the_original_vocabulary():
    from sklearn_cloud.encoder import OriginalTokenizer

    words = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "|", "0", "1", "##a", "##b", "b", "O",
             "Na"]  # fmt: skip
    tokenizer = OriginalTokenizer(words, ["1.0"])
    ids = tokenizer.encode("0 1 b O O O 0 | 1a 1b | Na 1.0")
    tokens, parts = name_tokens(tokenizer, ids)
    assert tokens[9:13] == ("1", "##a", "1", "##b")
    assert parts[1:8] == ("generator",) * 7
    assert parts[9:13] == ("sites",) * 4
    assert parts[14:16] == ("composition",) * 2


def test_masked_strings_of_the_transformer_are_not_read_as_crystals(pipeline):
    # A string that is a formula as well is taken for what it says.
    assert explain_prediction(pipeline, "Na 0.5 Cl 0.5").string == "Na 0.5 Cl 0.5"
    assert isinstance(pipeline[0], SymmetryStringTransformer)


def test_contributions_of_sites_and_elements(regressor):
    string = "1 4 b O O O c O O O d O O O e O O O 0 | 1a Sr 1b Ti 3c O x2 | Sr 0.2 Ti 0.2 O 0.6"
    explanation = explain_prediction(regressor, string)
    table = explanation.contributions()
    assert table["name"].tolist() == ["space group 221", "1a Sr", "1b Ti", "3c O", "Sr", "Ti", "O"]
    assert table["kind"].tolist() == ["symmetry"] + ["site"] * 3 + ["element"] * 3
    assert table["attribution"].sum() == pytest.approx(explanation.attributions.sum())
    oxygen = [i for i, token in enumerate(explanation.tokens) if token == "0.6"][0]
    expected = explanation.attributions[oxygen - 1 : oxygen + 1].sum()
    assert table["attribution"].iloc[-1] == pytest.approx(expected)


def test_an_explanation_is_readable(regressor):
    lines = repr(explain_prediction(regressor, NACL)).splitlines()
    assert lines[0].startswith("Explanation of ") and lines[0].endswith(f"for {NACL!r}")
    assert lines[1].split()[:3] == ["baseline", "(all", "masked)"]
    assert [line.split()[:3] for line in lines[3:5]] == [["site", "1a", "Na"], ["site", "1b", "Cl"]]
