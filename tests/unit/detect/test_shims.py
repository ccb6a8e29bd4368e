"""Programs that stand for others (DET-10, DET-25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack.detect import shims
from crpack.detect.cache import Cache
from crpack.detect.eyes import Eyes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def eyes() -> Eyes:
    return Eyes({}, Cache(b"", 0))


def tool(folder: Path, name: str, text: str = "#!/bin/sh\n") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    """A pyenv root with three versions; the shims know names of all of them."""
    shims = tmp_path / "shims"
    shims.mkdir()
    for version, names in {
        "3.9.18": ["python"],
        "3.12.1": ["python", "python3.12"],
        "3.11.7": ["python"],
    }.items():
        folder = tmp_path / "versions" / version / "bin"
        folder.mkdir(parents=True)
        for name in names:
            tool(folder, name)
    for name in ("python", "python3.12"):
        script = shims / name
        script.write_text(
            f'#!/usr/bin/env bash\nexec "{tmp_path}/libexec/pyenv" exec "$program" "$@"\n'
        )
        script.chmod(0o755)
    (tmp_path / "version").write_text("3.11.7\n")
    return tmp_path


def test_a_pyenv_shim_stands_for_real_interpreters(pyenv: Path, eyes: Eyes) -> None:
    """DET-10 (reference trap 1)."""
    versions = pyenv / "versions"
    assert shims.targets(str(pyenv / "shims" / "python"), eyes) == (
        f"{versions}/3.11.7/bin/python",
        f"{versions}/3.12.1/bin/python",
        f"{versions}/3.9.18/bin/python",
    )
    assert shims.targets(str(pyenv / "shims" / "python3.12"), eyes) == (
        f"{versions}/3.12.1/bin/python3.12",
    )


def test_other_files_in_a_folder_called_shims_are_themselves(pyenv: Path, eyes: Eyes) -> None:
    assert shims.targets(tool(pyenv / "shims", "other"), eyes) == ()
    assert shims.targets(tool(pyenv, "python"), eyes) == ()


def test_a_link_to_rustup_stands_for_the_toolchains_programs(tmp_path: Path, eyes: Eyes) -> None:
    """DET-10 (trap 3): the link says nothing of the version."""
    cargo = tmp_path / ".cargo" / "bin"
    tool(cargo, "rustup")
    (cargo / "rustc").symlink_to("rustup")
    (cargo / "cargo-fmt").symlink_to("rustup")
    home = tmp_path / ".rustup"
    for name in ("stable-x", "1.70.0-x", "1.80.1-x"):
        tool(home / "toolchains" / name / "bin", "rustc")
    (home / "settings.toml").write_text('version = "12"\ndefault_toolchain = "stable-x"\n')
    assert shims.targets(str(cargo / "rustc"), eyes) == tuple(
        f"{home}/toolchains/{name}/bin/rustc" for name in ("stable-x", "1.80.1-x", "1.70.0-x")
    )
    assert shims.targets(str(cargo / "rustup"), eyes) == ()
    assert shims.targets(str(cargo / "cargo-fmt"), eyes) == ()


@pytest.mark.parametrize(
    ("text", "wraps"),
    [
        ('#!/bin/sh\nexec {real} "$@"\n', True),
        ('#!/bin/sh\n# as packaged\n\n"{real}" "$@"\n', True),
        ('#!/bin/sh\nexport A=1\nexec {real} "$@"\n', False),
        ('#!/bin/sh\nexec {real} --more "$@"\n', False),
        ('#!/bin/sh\nexec $HOME{real} "$@"\n', False),
        ('#!/bin/sh\nexec {real}x "$@"\n', False),
        ('#!/bin/sh\nexec /no/such/nvcc "$@"\n', False),
        ('exec {real} "$@"\n', False),
    ],
)
def test_a_wrapper_hands_everything_to_a_program_of_its_name(
    tmp_path: Path,
    eyes: Eyes,
    text: str,
    wraps: bool,  # noqa: FBT001
) -> None:
    """DET-25 (trap 4): nvcc in /usr/local/bin."""
    real = tool(tmp_path / "cuda" / "bin", "nvcc")
    wrapper = tool(tmp_path / "bin", "nvcc", text.format(real=real))
    assert shims.wrapped(wrapper, eyes) == (real if wraps else "")
