"""Captum on the module of a fitted estimator."""

import pytest

pytest.importorskip("captum", reason="needs Captum")


def test_layer_attributions_add_up():
    # [start]
    import torch
    from captum.attr import LayerIntegratedGradients

    from sklearn_cloud import CloudRegressor

    strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    model = CloudRegressor(max_epochs=2, device="cpu", random_state=0)
    model.fit(strings, [8.5, 3.6, 1.1] * 4)

    network = model.net_.module_.eval()
    layer = network.encoder.embeddings.word_embeddings
    tokens = torch.tensor([model.tokenizer_.encode("8a | Si 1.0")])
    masked = torch.full_like(tokens, model.tokenizer_.mask_id)
    masked[:, [0, -1]] = tokens[:, [0, -1]]  # [CLS] and [SEP] stay

    gradients = LayerIntegratedGradients(lambda ids: network(ids)[:, 0], layer)
    values = gradients.attribute(tokens, baselines=masked, n_steps=64).sum(dim=2)[0]
    # [end]
    with torch.no_grad():
        difference = network(tokens)[0, 0] - network(masked)[0, 0]
    assert len(values) == tokens.shape[1]
    assert values.sum().item() == pytest.approx(difference.item(), abs=1e-2)
