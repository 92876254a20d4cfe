"""An encoder's folder as AutoModel of transformers."""

import numpy as np

from sklearn_cloud import CloudEmbedder


def test_an_encoder_as_auto_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # [start]
    import torch
    from transformers import AutoModel

    from sklearn_cloud.encoder import SymmetryTokenizer, load_encoder, save_encoder

    checkpoint = load_encoder("mini")
    save_encoder("mini_encoder", checkpoint.build(), checkpoint.config)

    network = AutoModel.from_pretrained(
        "mini_encoder", dtype=torch.float32, add_pooling_layer=False
    )
    tokenizer = SymmetryTokenizer().to_hugging_face()
    strings = ["1a 1b | Na 0.5 Cl 0.5", "8a | Si 1.0"]
    inputs = tokenizer(strings, padding=True, return_tensors="pt")
    with torch.no_grad():
        vectors = network(**inputs).last_hidden_state[:, 0]  # of [CLS]
    # [end]
    expected = CloudEmbedder(device="cpu").fit_transform(strings)
    np.testing.assert_allclose(vectors.numpy(), expected, atol=1e-4)
