"""The facts of this machine, without what is installed on it.

Rules (SPEC DET-11…):
- The platform is that of this process's own file: a 32-bit userland on a 64-bit kernel, and a
  program under emulation, are what the process is, not what `uname` says.
- glibc is asked by `confstr`, musl by the loader's own banner; nothing else is executed, but the
  CUDA driver's library in a child with a time limit, and only where a driver is loaded.
- What is absent is said with the reason.
"""

from __future__ import annotations

import os
import re
import sys
import time
from functools import partial

from crpack.detect import cpu, gpu, path
from crpack.detect.cache import key
from crpack.errors import CrpackError, DetectError
from crpack.model import platforms
from crpack.model.dates import utc
from crpack.model.facts import Cpu, Facts
from crpack.process.environment import clean
from crpack.process.run import Limits, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.binary.image import Image
    from crpack.detect.cache import Cache

MAX_TEXT = 1024 * 1024  # bytes read of any text of the system
MAX_LIBRARY = 32 * 1024 * 1024  # bytes read of the C++ library
ASK_SECONDS = 5.0  # for the musl loader and the CUDA driver

_ASK_CUDA = (
    "import ctypes; v = ctypes.c_int(); l = ctypes.CDLL('libcuda.so.1'); "
    "r = l.cuDriverGetVersion(ctypes.byref(v)); print(v.value if r == 0 else r)"
)


def here() -> platforms.Platform:
    """Return the platform of this machine; no program is started (SPEC DET-11).

    Raises:
        DetectError: the platform has no name in crpack.
    """
    own = _own()
    return platform_of(own, *_libc(own, lambda _: ""), os.uname().machine)


def gather(kept: Cache | None = None) -> Facts:
    """Return the facts of this machine (SPEC DET-11).

    Args:
        kept: answers of programs that were asked earlier, and takes those asked now.

    Raises:
        DetectError: the platform has no name in crpack.
    """
    own = _own()
    libc, libc_version = _libc(own, lambda loader: _ask_musl(loader, kept))
    platform = platform_of(own, libc, libc_version, os.uname().machine)
    processor = _processor()
    vendor, no_gpu = _gpu()
    cuda, no_cuda = _cuda(vendor, kept)
    capabilities = {
        f"@{libc}": libc_version,
        "@glibcxx": _cxx(own, platform, kept),
        "@cpu": cpu.level(platform.arch, processor.features),
        "@memory": _memory(),
        "@gpu": vendor,
        "@cuda": cuda,
    }
    return Facts(
        platform=str(platform),
        capabilities=tuple(sorted((name, text) for name, text in capabilities.items() if text)),
        cpu=processor,
        date=utc(time.time()),
        absent=tuple((n, why) for n, why in (("@cuda", no_cuda), ("@gpu", no_gpu)) if why),
    )


def os_release() -> str:
    """Return the text of `/etc/os-release`; empty where there is none."""
    data = path.read("/etc/os-release", MAX_TEXT) or path.read("/usr/lib/os-release", MAX_TEXT)
    return data.decode("utf-8", "replace")


def platform_of(own: Image | None, libc: str, version: str, machine: str) -> platforms.Platform:
    """Return the platform of a process (SPEC DET-11).

    Args:
        own: the headers of its own file; None where they are not ELF.
        libc: `glibc`, `musl`, `macos`, or empty.
        version: of it.
        machine: what `uname` says; used only where there are no headers.

    Raises:
        DetectError: crpack has no name for it.
    """
    if libc == "macos":
        platform = platforms.Platform("macos", machine, "", version)
    else:
        arch = own.arch if own else machine
        # An ARM file without attributes does not tell; what is still sold is ARMv7.
        arch = "armv7" if arch == "arm" else arch
        abi = "musl" if libc == "musl" else "gnu"
        platform = platforms.Platform("linux", arch, abi, version if libc == "glibc" else "")
    if platform.base not in platforms.known():
        raise DetectError(
            f"crpack does not know the platform of this machine, `{platform}`",
            hint="known are " + ", ".join(str(name) for name in platforms.known()),
            rule="DET-11",
        )
    return platform


def glibc_version(confstr: str) -> str:
    """Return `2.36` for `glibc 2.36`; empty for anything else."""
    match = re.fullmatch(r"glibc (\d+(?:\.\d+)+)", confstr, re.ASCII)
    return match[1] if match else ""


def musl_version(banner: bytes) -> str:
    """Return the version in the banner of musl's loader; empty when there is none."""
    match = re.search(rb"^musl libc.*\nVersion (\d+(?:\.\d+)+)", banner)
    return match[1].decode() if match else ""


def glibcxx_version(library: bytes) -> str:
    """Return the newest `GLIBCXX_` version that a C++ library defines, such as `3.4.30`."""
    found = re.findall(rb"\0GLIBCXX_(\d+(?:\.\d+)+)(?=\0)", library)
    return max((text.decode() for text in found), key=path.version_key, default="")


def memory_bytes(meminfo: bytes, limit: bytes) -> int:
    """Return the bytes of memory there are for this process; 0 when not known.

    Args:
        meminfo: `/proc/meminfo`.
        limit: the control group's limit, `max` or a number of bytes.
    """
    match = re.search(rb"^MemTotal:\s*(\d+) kB$", meminfo, re.MULTILINE)
    total = int(match[1]) * 1024 if match else 0
    bound = int(limit) if limit.strip().isdigit() else 0
    return min(total, bound) if total and bound else total


def _own() -> Image | None:
    return path.read_image("/proc/self/exe") if sys.platform == "linux" else None


def _libc(own: Image | None, ask: Callable[[str], str]) -> tuple[str, str]:
    """Return the name and version of the C library, or of macOS; `ask` asks musl's loader."""
    if sys.platform == "darwin":
        import platform as standard

        return "macos", standard.mac_ver()[0]
    if own and own.abi == "musl":
        return "musl", ask(own.interpreter)
    try:
        answer = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        answer = ""
    return "glibc", glibc_version(answer)


def _ask_musl(loader: str, kept: Cache | None) -> str:
    """Return the version in the loader's banner, which it prints when called without a program."""
    known = path.Trust(os.getuid()).file(loader)
    if known is None or known.distrust:
        return ""
    name = key("musl", loader, *known.stamp)
    return _once(kept, name, lambda: (musl_version(_ask((loader,))), ""))[0]


def _once(kept: Cache | None, name: str, ask: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Return a version asked earlier, or asked now and kept, and why there is none."""
    known = kept.answer(name) if kept else None
    if isinstance(known, str):
        return known, ""
    version, why = ask()
    if kept and version:
        kept.keep(name, version)
    return version, why


def _ask(argv: tuple[str, ...]) -> bytes:
    """Return what a program of the system prints; empty when it cannot be run."""
    env = clean({}, home="/", tmp="/")
    try:
        outcome = run(argv, cwd="/", env=env, limits=Limits(wall_s=ASK_SECONDS, output_bytes=4096))
    except CrpackError:
        return b""
    return outcome.stdout + outcome.stderr


def _cxx(own: Image | None, platform: platforms.Platform, kept: Cache | None) -> str:
    """Return what the system's C++ library offers; empty where there is none (SPEC DET-26)."""
    folders = (f"lib/{platforms.spelling(platform, 'gnu')}", "lib64", "lib")
    for file in (f"{root}/{folder}/libstdc++.so.6" for folder in folders for root in ("/usr", "")):
        image = path.read_image(file)
        if own and image and image.arch == own.arch:
            name = key("glibcxx", file, path.stamp(file), path.stamp(os.path.realpath(file)))
            return _once(kept, name, partial(_read_cxx, file))[0]
    return ""


def _read_cxx(file: str) -> tuple[str, str]:
    return glibcxx_version(path.read(file, MAX_LIBRARY)), ""


def _processor() -> Cpu:
    found = cpu.parse(path.read("/proc/cpuinfo", MAX_TEXT))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Cpu(found.model, found.features, cores or found.cores)


def _memory() -> str:
    limit = path.read("/sys/fs/cgroup/memory.max", 64)
    return str(memory_bytes(path.read("/proc/meminfo", MAX_TEXT), limit) or "")


def _gpu() -> tuple[str, str]:
    nvidia = any(
        map(os.path.exists, ("/proc/driver/nvidia/version", "/dev/dxg", "/dev/nvhost-gpu"))
    )
    drm = "/sys/class/drm"
    cards = [f"{drm}/{name}/device" for name in path.names(drm) if re.fullmatch(r"card\d+", name)]
    adapters = tuple(gpu.Adapter(_word(f"{card}/vendor"), _driver(card)) for card in cards)
    pci = "/sys/bus/pci/devices"
    idle = [f"{pci}/{name}" for name in path.names(pci) if not _driver(f"{pci}/{name}")]
    unbound = tuple(_word(f"{at}/vendor") for at in idle if gpu.is_display(_word(f"{at}/class")))
    return gpu.choose(adapters, nvidia_driver=nvidia, unbound=unbound)


def _word(file: str) -> str:
    return path.read(file, 64).decode("ascii", "replace").strip()


def _driver(device: str) -> str:
    """Return the name of the kernel driver that a device is bound to; empty for none."""
    link = f"{device}/driver"
    return os.path.basename(os.path.realpath(link)) if os.path.exists(link) else ""


def _cuda(vendor: str, kept: Cache | None) -> tuple[str, str]:
    """Return (version, ``""``) of the CUDA driver, or (``""``, reason).

    The answer is another when the kernel's driver is, or where its library is looked for.
    """
    if vendor != gpu.NVIDIA:
        return "", "no NVIDIA driver is loaded"
    driver = path.read("/proc/driver/nvidia/version", MAX_TEXT).decode("utf-8", "replace")
    folders = os.environ.get("LD_LIBRARY_PATH", "")
    name = key("cuda", driver, folders, path.stamp("/etc/ld.so.cache"))
    return _once(kept if driver else None, name, _ask_cuda)


def _ask_cuda() -> tuple[str, str]:
    answer = _ask((sys.executable, "-I", "-S", "-c", _ASK_CUDA)).decode("utf-8", "replace")
    version = gpu.cuda_version(answer)
    if version:
        return version, ""
    lines = answer.strip().splitlines() or ["no answer"]
    return "", f"the CUDA driver does not tell its version: {lines[-1][:200]}"
