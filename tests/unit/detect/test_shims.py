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


def test_a_variable_of_the_manager_says_which_version_comes_first(pyenv: Path) -> None:
    """DET-10: as its shim would choose; several stand with colons between."""
    eyes = Eyes({"PYENV_VERSION": "9.9:3.9.18"}, Cache(b"", 0))
    first, second, *_ = shims.targets(str(pyenv / "shims" / "python"), eyes) or ()
    assert [one.split("/")[-3] for one in (first, second)] == ["3.9.18", "3.11.7"]


@pytest.mark.parametrize("asdf", ["asdf", "/opt/asdf/bin/asdf"])
def test_a_shim_of_asdf_stands_for_the_installations_that_it_lists(
    tmp_path: Path, eyes: Eyes, asdf: str
) -> None:
    """DET-10: wherever a plugin puts its programs."""
    listed = "".join(f"# asdf-plugin: golang {version}\n" for version in ("1.9", "1.20"))
    shim = tool(tmp_path / "shims", "go", f'#!/bin/sh\n{listed}exec {asdf} exec "go" "$@"\n')
    at = tmp_path / "installs/golang"
    assert shims.targets(shim, eyes) == ()
    old, new = (tool(at / version / "go/bin", "go") for version in ("1.9", "1.20"))
    tool(at / "1.30/bin", "go")
    assert shims.targets(shim, Eyes({}, Cache(b"", 0))) == (new, old)
    chosen = Eyes({"ASDF_GOLANG_VERSION": "1.9"}, Cache(b"", 0))
    assert shims.targets(shim, chosen) == (old, new)


def test_a_link_to_mise_stands_for_every_installation_once(tmp_path: Path, eyes: Eyes) -> None:
    """DET-10: links name the same installation by a part of its version."""
    tool(tmp_path, "mise")
    (tmp_path / "shims").mkdir()
    for name in ("go", "node", "mise"):
        (tmp_path / "shims" / name).symlink_to("../mise")
    new, old = (tool(tmp_path / f"installs/go/{v}/bin", "go") for v in ("1.21.5", "1.20.1"))
    for link in ("1", "1.21", "latest"):
        (tmp_path / "installs/go" / link).symlink_to("1.21.5")
    assert shims.targets(str(tmp_path / "shims/go"), eyes) == (new, old)
    assert shims.targets(str(tmp_path / "shims/node"), eyes) == ()
    assert shims.targets(str(tmp_path / "shims/mise"), eyes) is None


def test_other_files_in_a_folder_called_shims_are_themselves(pyenv: Path, eyes: Eyes) -> None:
    assert shims.targets(tool(pyenv / "shims", "other"), eyes) is None
    assert shims.targets(tool(pyenv, "python"), eyes) is None


def test_a_shim_is_one_also_where_nothing_stands_behind_it(tmp_path: Path, eyes: Eyes) -> None:
    """DET-10: whatever the length of the paths that it names."""
    root = tmp_path / ("long" * 50) / ("long" * 50)
    text = f'#!/bin/sh\nexport ROOT="{root}"\nexec "{root}/libexec/pyenv" exec "$program" "$@"\n'
    assert shims.targets(tool(root / "shims", "python", text), eyes) == ()
    tool(tmp_path, "rustup")
    (tmp_path / "rustc").symlink_to("rustup")
    assert shims.targets(str(tmp_path / "rustc"), eyes) == ()


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
    assert shims.targets(str(cargo / "rustup"), eyes) is None
    assert shims.targets(str(cargo / "cargo-fmt"), eyes) == ()


@pytest.mark.parametrize(
    "text",
    [
        'exec {real} "$@"\n',
        '# as packaged\n\n"{real}" "$@"\n',
        'exec {real} --more "$@"\n',
        'exec -a "$0" {real} ${{1+"$@"}}\n',
        'FLAGS="-ccbin g++" exec {real} "$@"\n',
        'CUDA={home}\nexec "$CUDA/bin/nvcc" "$@"\n',
        'export CUDA="{home}"\nNVCC=${{CUDA}}/bin/nvcc\nif true; then exec $NVCC $*; fi\n',
        'export PATH={home}/bin:$PATH\n{real} "$@"\n',
    ],
)
@pytest.mark.parametrize("shell", ["/bin/sh", "/usr/bin/env bash"])
def test_a_wrapper_hands_its_arguments_to_a_program_of_its_name(
    tmp_path: Path, eyes: Eyes, shell: str, text: str
) -> None:
    """DET-25 (trap 4): nvcc in /usr/local/bin."""
    home = tmp_path / "cuda"
    real = tool(home / "bin", "nvcc")
    said = text.format(real=real, home=home)
    assert shims.wrapped(tool(tmp_path / "bin", "nvcc", f"#!{shell}\n{said}"), eyes) == real


@pytest.mark.parametrize(
    "text",
    [
        'exec $HOME{real} "$@"\n',
        'exec /no/such/nvcc "$@"\n',
        'exec ${{CUDA_HOME:-/usr/local/cuda}}/bin/nvcc "$@"\n',
        'exec nvcc "$@"\n',
        '[ -n "$OLD" ] && exec /opt/bin/nvcc "$@"\nexec {real} "$@"\n',
    ],
)
def test_a_wrapper_that_does_not_tell_where_to_is_one_all_the_same(
    tmp_path: Path, eyes: Eyes, text: str
) -> None:
    """DET-25: so its own place is not taken for the installation."""
    real = tool(tmp_path / "cuda" / "bin", "nvcc")
    wrapper = tool(tmp_path / "bin", "nvcc", f"#!/bin/sh\n{text.format(real=real)}")
    assert shims.wrapped(wrapper, eyes) == ""


@pytest.mark.parametrize(
    "text",
    [
        'exec {real} "$@"\n',
        '#!/bin/sh\nexec {real}x "$@"\n',
        "#!/bin/sh\nexec {real} --version\n",
        '#!/bin/sh\nexec "$(dirname "$0")/../libexec/nvcc" "$@"\n',
        "#!/bin/sh\necho 'nvcc: \"unfinished\n",
        '#!/usr/bin/python3\nrun("{real}", "$@")\n',
        '#!/bin/sh\nexec {real} "$@"\n' + "#" * 5000,
    ],
)
def test_other_scripts_are_no_wrappers(tmp_path: Path, eyes: Eyes, text: str) -> None:
    """DET-25."""
    real = tool(tmp_path / "cuda" / "bin", "nvcc")
    wrapper = tool(tmp_path / "bin", "nvcc", text.format(real=real))
    assert shims.wrapped(wrapper, eyes) is None
