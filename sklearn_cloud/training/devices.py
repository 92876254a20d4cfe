"""Where to compute, and in which precision."""

import warnings

import torch

BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")


def choose_device(device):
    """Name of the device to compute on; None is CUDA where there is one.

    Raises
    ------
    ValueError
        If the device is not known or not there.
    """
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = device_is_there(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is not a device of torch: {error}") from error
    if not found:
        raise ValueError(
            f"device={str(device)!r} is not available to torch on this machine. Use device=None to "
            "choose an available device, or install a build of torch for your hardware."
        )
    return str(device)


def device_or_cpu(device):
    """As `choose_device`, but the CPU, with a warning, where a restored model's device is not."""
    if device_is_there("cpu" if device is None else device):
        return choose_device(device)
    warnings.warn(f"No {device} device is available on this machine: using the CPU.", stacklevel=2)
    return "cpu"


def device_is_there(device):
    """Whether torch can compute on a device ("cpu", "cuda", "cuda:1", ...) on this machine."""
    device = torch.device(device)
    if device.type == "cpu":
        return True
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None or accelerator.type != device.type:
        return False
    return device.index is None or device.index < torch.accelerator.device_count()


def choose_bf16(precision, device):
    """Whether to train in bfloat16: "auto" where it is faster than float32.

    Of CPUs these are those with instructions for bfloat16 (AMX, or AVX-512 with BF16). Without them
    small networks are slower.
    """
    if precision != "auto":
        return precision == "bf16"
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.device(device).type == "cpu":
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # from torch 2.10 on
        return any(capabilities.get(name, False) for name in BF16_INSTRUCTIONS)
    return False
