"""torch.export: the fitted network in a file that runs without this package."""

import numpy as np
import torch
from torch.export import Dim

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor

STRINGS = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"]


def test_exported_network(tmp_path):
    config = EncoderConfig(n_layers=2, n_heads=2, width=16)
    model = CloudRegressor(config, max_epochs=2, random_state=0).fit(
        STRINGS * 4, [8.5, 3.6, 1.1] * 4
    )
    module = model.net_.module_.cpu().eval()
    example = torch.ones(2, 8, dtype=torch.long)
    # torch 2.7 treats the largest length as a case of its own
    shapes = {0: Dim("strings", max=512), 1: Dim("tokens", min=2, max=config.max_positions - 1)}
    program = torch.export.export(module, (example,), dynamic_shapes=(shapes,))
    torch.export.save(program, tmp_path / "net.pt2")

    network = torch.export.load(tmp_path / "net.pt2").module()
    ids = [torch.tensor(one) for one in model.tokenizer_.encode_batch(STRINGS)]
    padded = torch.nn.utils.rnn.pad_sequence(ids, True, padding_value=config.pad_id)
    outputs = network(padded).detach().numpy()[:, 0]
    predicted = outputs * model.target_scale_ + model.target_mean_
    np.testing.assert_allclose(predicted, model.predict(STRINGS), rtol=1e-5)
