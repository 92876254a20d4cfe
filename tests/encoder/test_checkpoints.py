import hashlib
import json
import os

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from transformers import BertModel

from sklearn_cloud import ModelFolderError
from sklearn_cloud.encoder import ENCODER_SIZES, EncoderConfig, build_encoder, sources
from sklearn_cloud.encoder.checkpoints import load_encoder, save_encoder
from sklearn_cloud.encoder.tokenizer import TOKENIZER_FILE

TINY = EncoderConfig(n_layers=1, n_heads=2, width=16, max_positions=32)


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(TINY).eval()


@pytest.fixture
def folder(encoder, tmp_path):
    return save_encoder(tmp_path / "tiny", encoder, TINY, metadata={"corpus": "none"})


def test_saved_encoder_comes_back(folder, encoder):
    checkpoint = load_encoder(folder)
    assert checkpoint.config == TINY
    assert checkpoint.metadata == {"corpus": "none"}
    assert checkpoint.source == str(folder)
    for name, tensor in checkpoint.build().state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, encoder.state_dict()[name].half().float())
    on_disk = load_file(folder / "model.safetensors").values()
    assert {tensor.dtype for tensor in on_disk} == {torch.float16}
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["config.json", "model.safetensors", TOKENIZER_FILE]
    )


def test_weights_do_not_change_with_their_file(folder):
    weights = load_encoder(folder).weights
    expected = {name: tensor.clone() for name, tensor in weights.items()}
    path = folder / "model.safetensors"
    with path.open("r+b") as file:  # as a copy over it does
        file.seek(path.stat().st_size // 2)
        file.write(bytes(1000))
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_transformers_reads_the_folder(folder, encoder):
    read = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32).eval()
    ids = torch.tensor([[1, 77, 2]])
    expected = load_encoder(folder).build().eval()(ids).last_hidden_state
    torch.testing.assert_close(read(ids).last_hidden_state, expected)


@pytest.mark.parametrize("name", sorted(sources.BUNDLED))
def test_bundled_encoders_load_and_know_what_they_are(name):
    checkpoint = load_encoder(name)
    assert checkpoint.config == ENCODER_SIZES[name]
    assert checkpoint.weights is not None
    assert checkpoint.metadata["held_out"]["accuracy"] > 0.5
    assert checkpoint.metadata["corpus"]["rows"] > 100_000


def test_random_initialisation_only_when_asked():
    assert load_encoder(None).config == ENCODER_SIZES["mini"]
    assert load_encoder(TINY).config == TINY
    assert load_encoder(None).weights is None
    for name in ("paper", "no-such-encoder"):
        with pytest.raises(ValueError, match="Searched the bundled and released"):
            load_encoder(name)
    with pytest.raises(ValueError, match=r"ENCODER_SIZES\['paper'\]"):
        load_encoder("paper")
    with pytest.raises(TypeError, match="encoder must be"):
        load_encoder(12)
    with pytest.raises(ValueError, match="500 tokens, but the tokenizer has 472"):
        load_encoder(EncoderConfig(vocabulary_size=500))


def test_bundled_checkpoint_is_verified(folder, monkeypatch):
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    monkeypatch.setattr(sources, "WEIGHTS_FOLDER", folder.parent)
    monkeypatch.setattr(sources, "BUNDLED", {"tiny": digest, "gone": digest})
    assert load_encoder("tiny").weights is not None
    with pytest.raises(ValueError, match="is missing: reinstall"):
        load_encoder("gone")
    with pytest.raises(ValueError, match="released checkpoints .gone, tiny."):
        load_encoder("other")
    monkeypatch.setitem(sources.BUNDLED, "tiny", "0" * 64)
    with pytest.raises(ValueError, match="expected 0000"):
        load_encoder("tiny")


def test_released_checkpoint_is_downloaded_once_and_verified(folder, tmp_path, monkeypatch):
    files = {path.name: path for path in folder.iterdir()}
    sha256 = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    release = sources.Release(folder.as_uri(), sha256)
    monkeypatch.setattr(sources, "RELEASED", {"large": release})
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "home"))
    assert load_encoder("large").config == TINY

    kept = tmp_path / "home" / "encoders" / "large"
    monkeypatch.setattr(sources, "RELEASED", {"large": release._replace(url="file:///nowhere")})
    assert load_encoder("large").source == str(kept)  # no download: the files are there
    (kept / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ValueError, match="is damaged: its SHA-256 is not"):
        load_encoder("large")
    (kept / "model.safetensors").unlink()
    with pytest.raises(ConnectionError, match="could not download file:///nowhere/model"):
        load_encoder("large")


def test_hub_id_downloads_json_safetensors_and_vocabulary_only(folder, monkeypatch):
    asked = []

    def snapshot_download(repo_id, allow_patterns):
        asked.append((repo_id, allow_patterns))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert load_encoder("organisation/name").config == TINY
    files = ["config.json"], ["*.json", "*.safetensors", "vocab.txt"]
    assert asked == [("organisation/name", patterns) for patterns in files]


def test_weights_of_a_hub_model_that_cannot_be_used_are_not_downloaded(folder, monkeypatch):
    def snapshot_download(repo_id, allow_patterns):
        asked.append(allow_patterns)
        return str(folder)

    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match="expected a BERT configuration, got 'gpt2'"):
        load_encoder("organisation/name")
    assert asked == [["config.json"]]


@pytest.mark.parametrize("size", ["num_hidden_layers", "vocab_size", "max_position_embeddings"])
def test_sizes_are_compared_before_anything_is_built(size, folder):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), size: 10**9}))
    with pytest.raises(ModelFolderError, match="does not match its weights|the encoder has"):
        load_encoder(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "symmetry_tokenizer.json", "vocab.txt"]
)
def test_pipes_are_not_read(name, folder):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelFolderError, match="not a regular file|two formats|no added_tokens"):
        load_encoder(folder)


@pytest.mark.parametrize(
    "error", [LocalEntryNotFoundError("offline"), ConnectionError("no network"), OSError("full")]
)
def test_unreachable_hub_is_an_error(error, monkeypatch):
    def snapshot_download(repo_id, allow_patterns):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(ValueError, match="not bundled.*not a folder.*Hub returned"):
        load_encoder("organisation/name")


def _truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _rewrite_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def _edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


WORDS = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncate, "damaged"),
        (lambda d: (d / "model.safetensors").write_bytes(b"\x80\x04pickle"), "damaged"),
        (lambda d: (d / "model.safetensors").unlink(), "no weights file"),
        (lambda d: (d / "config.json").unlink(), "not a checkpoint"),
        (lambda d: (d / "config.json").write_text("{"), "cannot be read"),
        (lambda d: (d / "config.json").write_text("[]"), "cannot be read"),
        (lambda d: (d / TOKENIZER_FILE).unlink(), "no tokenizer file"),
        (lambda d: _edit_config(d, hidden_size=32), "has shape"),
        (lambda d: _edit_config(d, num_hidden_layers=2), "missing"),
        (lambda d: _edit_config(d, vocab_size=564), "564 tokens, but the tokenizer has 472"),
        (lambda d: _edit_config(d, model_type="gpt2"), "BERT"),
        (lambda d: _edit_config(d, sklearn_cloud={"format_version": 9}), "format version 9"),
        (lambda d: _rewrite_weights(d, lambda w: w.pop(WORDS)), "missing"),
        (lambda d: _rewrite_weights(d, lambda w: w[WORDS].fill_(float("nan"))), "NaN"),
    ],
)
def test_damaged_checkpoints_are_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(ValueError, match=message):
        load_encoder(folder)


def test_weights_too_large_for_float16_are_refused(tmp_path):
    encoder = build_encoder(TINY)
    with torch.no_grad():
        encoder.embeddings.word_embeddings.weight[3, 3] = 1e6
    with pytest.raises(ValueError, match="word_embeddings"):
        save_encoder(tmp_path / "bad", encoder, TINY)
