"""The graphics processor (DET-13)."""

from __future__ import annotations

import pytest

from crpack.detect import gpu
from crpack.detect.gpu import Adapter


@pytest.mark.parametrize(
    ("adapters", "nvidia_driver", "vendor"),
    [
        ((), True, "nvidia"),
        ((Adapter("0x8086", "i915"), Adapter("0x10de", "nvidia")), True, "nvidia"),
        ((Adapter("0x8086", "i915"), Adapter("0x1002", "amdgpu")), False, "amd"),
        ((Adapter("", "v3d"), Adapter("", "vc4-drm")), False, "broadcom"),
        ((Adapter("", "panfrost"),), False, "arm"),
        ((Adapter("0x8086", "xe"),), False, "intel"),
    ],
)
def test_a_driver_tells_the_vendor(
    adapters: tuple[Adapter, ...],
    nvidia_driver: bool,  # noqa: FBT001
    vendor: str,
) -> None:
    """DET-13."""
    assert gpu.choose(adapters, nvidia_driver=nvidia_driver) == (vendor, "")


@pytest.mark.parametrize(
    ("adapters", "unbound", "reason"),
    [
        ((), (), "the kernel lists no graphics device"),
        ((), ("0x10de",), "a card of nvidia is there, and no driver for it is loaded"),
        ((Adapter("0x1af4", "virtio-pci"),), (), "display driver `virtio-pci` is not of a GPU"),
        ((Adapter("0x1234", "bochs-drm"),), ("0x1234",), "`bochs-drm`"),
        ((Adapter("0x10de", ""),), (), "the kernel lists no graphics device"),
    ],
)
def test_none_comes_with_the_reason(
    adapters: tuple[Adapter, ...], unbound: tuple[str, ...], reason: str
) -> None:
    """DET-13: a toolkit on PATH is not even an argument here."""
    vendor, why = gpu.choose(adapters, nvidia_driver=False, unbound=unbound)
    assert vendor == ""
    assert reason in why


def test_the_drivers_number_is_a_version() -> None:
    assert gpu.cuda_version("12040\n") == "12.4"
    assert gpu.cuda_version("13000") == "13.0"
    assert gpu.cuda_version("9020") == "9.2"
    for text in ("", "0", "-1", "100", "libcuda.so.1: cannot open", "999999999999"):
        assert gpu.cuda_version(text) == ""


def test_display_controllers_are_told_by_their_class() -> None:
    assert gpu.is_display("0x030000")
    assert gpu.is_display("0x030200")  # 3D, as in data centres
    assert not gpu.is_display("0x020000")
