"""Which precision a device trains in."""

import pytest
import torch

from sklearn_cloud.training.devices import choose_bf16


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_auto_is_bf16_where_the_processor_has_instructions(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_bf16("auto", "cpu") is expected


def test_what_is_asked_for_is_done(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert choose_bf16("fp32", "cpu") is False
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert choose_bf16("bf16", "cpu") is True
