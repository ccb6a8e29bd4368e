"""The graphics processor: pure functions on what the system lists.

Rules (SPEC DET-13):
- A GPU is there when its kernel driver is: a toolkit (nvcc) proves nothing, nor does a card
  without a driver.
- Displays of virtual machines and plain frame buffers are no GPUs.
- The answer has a vendor, or a reason why there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NVIDIA = "nvidia"
_PCI_VENDORS = {"0x10de": NVIDIA, "0x1002": "amd", "0x8086": "intel"}
_DRIVERS = {
    "nvidia": NVIDIA,
    "nouveau": NVIDIA,
    "tegra": NVIDIA,
    "amdgpu": "amd",
    "radeon": "amd",
    "i915": "intel",
    "xe": "intel",
    "v3d": "broadcom",
    "vc4-drm": "broadcom",
    "panfrost": "arm",
    "panthor": "arm",
    "lima": "arm",
    "msm": "qualcomm",
    "msm_dpu": "qualcomm",
    "etnaviv": "vivante",
    "powervr": "imagination",
    "asahi": "apple",
}
_PREFERENCE = (NVIDIA, "amd", "intel")
_DISPLAY = "0x03"  # PCI class of display controllers


@dataclass(frozen=True, slots=True)
class Adapter:
    """One device that the system lists.

    Attributes:
        vendor: PCI vendor, such as `0x10de`; empty for a device that is not on PCI.
        driver: of the kernel; empty when none is bound.
    """

    vendor: str
    driver: str


def choose(
    adapters: tuple[Adapter, ...], *, nvidia_driver: bool, unbound: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Return (vendor, ``""``) of the GPU to use, or (``""``, reason) when there is none.

    Args:
        adapters: the devices of `/sys/class/drm`.
        nvidia_driver: NVIDIA's own kernel driver is loaded, or WSL's stand-in for it.
        unbound: PCI vendors of display controllers without a driver.
    """
    vendors = {_vendor(adapter) for adapter in adapters if adapter.driver} - {""}
    if nvidia_driver:
        vendors.add(NVIDIA)
    for vendor in (*_PREFERENCE, *sorted(vendors)):
        if vendor in vendors:
            return vendor, ""
    cards = sorted({_PCI_VENDORS[vendor] for vendor in unbound if vendor in _PCI_VENDORS})
    if cards:
        return "", f"a card of {' and '.join(cards)} is there, and no driver for it is loaded"
    others = sorted({adapter.driver for adapter in adapters if adapter.driver})
    if others:
        return "", f"the display driver `{'`, `'.join(others)}` is not of a GPU"
    return "", "the kernel lists no graphics device"


def is_display(pci_class: str) -> bool:
    """Say whether a PCI class, such as `0x030200`, is of a display controller."""
    return pci_class.startswith(_DISPLAY)


def cuda_version(number: str) -> str:
    """Return `12.4` for the driver's number 12040; empty for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,2})0([0-9])0", number.strip(), re.ASCII)
    return f"{match[1]}.{match[2]}" if match else ""


def _vendor(adapter: Adapter) -> str:
    return _DRIVERS.get(adapter.driver) or _PCI_VENDORS.get(adapter.vendor, "")
