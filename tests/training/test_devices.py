"""Which devices there are, and which precision a device trains in."""

import pytest
import torch

from sklearn_cloud.training import devices
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


def test_the_number_of_a_device_is_checked(monkeypatch):
    accelerator = torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: accelerator)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    assert devices.choose_device("cuda:1") == "cuda:1"
    with pytest.raises(ValueError, match="device='cuda:2' is not available"):
        devices.choose_device("cuda:2")
    with pytest.warns(UserWarning, match="No cuda:3 device is available"):
        assert devices.device_or_cpu("cuda:3") == "cpu"
