"""The processor, from the texts of real machines (DET-12)."""

from __future__ import annotations

import pytest

from crpack.detect import cpu

X86 = b"""processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC  7B13   Processor
flags\t\t: FLAGS
power management:

processor\t: 1
model name\t: AMD EPYC  7B13   Processor
flags\t\t: FLAGS sgx

""".replace(
    b"FLAGS",
    b"fpu cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 abm avx avx2 bmi1 bmi2 f16c fma movbe xsave",
)

# A Raspberry Pi 4: 32-bit userland on a 64-bit kernel.
PI_32 = b"""processor\t: 0
model name\t: ARMv7 Processor rev 3 (v7l)
BogoMIPS\t: 108.00
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32
CPU implementer\t: 0x41
CPU architecture: 7

Hardware\t: BCM2711
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""

# A Raspberry Pi 5, 64 bits: no name of the processor, only of the board.
PI_64 = b"""processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd0b

Revision\t: c04170
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""

# big.LITTLE whose little cores know less.
TWO_KINDS = b"""processor\t: 0
Features\t: fp asimd crc32

processor\t: 1
Features\t: fp asimd crc32 atomics asimdrdm dcpop
"""

RISCV = b"""processor\t: 0
hart\t\t: 1
isa\t\t: rv64imafdc_zicntr_zicsr_zba_zbb
mmu\t\t: sv39
uarch\t\t: sifive,u74-mc

processor\t: 1
isa\t\t: rv64imafdc_zicntr_zicsr_zba_zbb
"""


def test_x86_has_a_model_common_features_and_a_level() -> None:
    """DET-12."""
    found = cpu.parse(X86)
    assert (found.model, found.cores) == ("AMD EPYC 7B13 Processor", 2)
    assert "avx2" in found.features
    assert "sgx" not in found.features  # one core has it
    assert cpu.level("x86_64", found.features) == "x86-64-v3"


@pytest.mark.parametrize(
    ("lacking", "level"),
    [("", "x86-64-v3"), ("movbe", "x86-64-v2"), ("abm", "x86-64-v2"), ("cx16", "x86-64-v1")],
)
def test_a_level_needs_every_feature(lacking: str, level: str) -> None:
    """DET-12: also when a higher level's features are all there."""
    features = tuple(one for one in cpu.parse(X86).features if one != lacking)
    assert cpu.level("x86_64", features) == level


def test_avx512_alone_is_no_level_four() -> None:
    features = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
    assert cpu.level("x86_64", features) == "x86-64-v1"
    assert cpu.level("x86_64", (*cpu.parse(X86).features, *features)) == "x86-64-v4"


def test_a_pi_with_a_32_bit_userland() -> None:
    found = cpu.parse(PI_32)
    assert found.model == "ARMv7 Processor rev 3 (v7l)"
    assert found.cores == 1
    assert {"neon", "vfpv4", "idiva"} <= set(found.features)
    assert cpu.level("armv7", found.features) == "armv7+neon"
    assert cpu.level("armv6", ("vfp",)) == "armv6"


def test_a_pi_with_64_bits_has_the_boards_name() -> None:
    found = cpu.parse(PI_64)
    assert found.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert cpu.level("aarch64", found.features) == "armv8.2-a"


def test_cores_of_two_kinds_have_what_both_have() -> None:
    """DET-12."""
    found = cpu.parse(TWO_KINDS)
    assert found.features == ("asimd", "crc32", "fp")
    assert cpu.level("aarch64", found.features) == "armv8-a"


def test_riscv_extensions_are_features() -> None:
    found = cpu.parse(RISCV)
    assert (found.model, found.cores) == ("sifive,u74-mc", 2)
    assert found.features[:3] == ("a", "c", "d")
    assert "zbb" in found.features
    assert cpu.level("riscv64", found.features) == "rv64gc"
    assert cpu.level("riscv64", cpu.parse(b"processor: 0\nisa: rv64gc\n").features) == "rv64gc"
    assert cpu.level("riscv64", cpu.parse(b"processor: 0\nisa: rv64imac\n").features) == "rv64"


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"processor", b"processor: 0\nisa: rv64!\n", b":\n\n:"]
)
def test_nonsense_is_an_unknown_processor(text: bytes) -> None:
    found = cpu.parse(text)
    assert (found.model, found.features) == ("", ())
    assert cpu.level("sparc", ()) == ""
