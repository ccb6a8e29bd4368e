"""What a program reads of where it is installed (SBX-14)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from crpack.process import installation, reach
from crpack.process.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def around(path: Path, root: Path, *beside: str) -> set[str]:
    """What is shown below a folder, of what exists or may exist there."""
    start = f"{root}/"
    found = installation.around(str(path), *beside)
    return {one.removeprefix(start) for one in found if one.startswith(start)}


def test_a_tool_in_a_home_shows_its_bin_its_libraries_and_its_own_share(tmp_path: Path) -> None:
    """SBX-14."""
    tool = program(tmp_path / ".local/bin/cmake")
    for name in ("cmake-3.30", "cmake", "cmakery", "keyrings"):
        (tmp_path / ".local/share" / name).mkdir(parents=True)
    shown = around(tool, tmp_path / ".local", "arm-linux-gnueabihf")
    assert {"bin", "bin/cmake", "lib", "libexec", "arm-linux-gnueabihf"} <= shown
    assert {one for one in shown if one.startswith("share")} == {"share/cmake", "share/cmake-3.30"}
    assert str(tmp_path / ".local") not in installation.around(str(tool))


def test_a_file_that_lies_in_no_bin_shows_itself_alone(tmp_path: Path) -> None:
    """SBX-14: a program in a home is no reason to show the home."""
    tool = program(tmp_path / "make")
    assert around(tool, tmp_path) == {"make"}
    assert str(tmp_path) not in installation.around(str(tool))


@pytest.mark.parametrize("mark", ["conda-meta", "Cellar", "pyvenv.cfg"])
def test_an_installation_of_its_own_is_shown_whole(tmp_path: Path, mark: str) -> None:
    """SBX-14."""
    tool = program(tmp_path / "conda/bin/gcc")
    (tmp_path / "conda" / mark).mkdir()
    assert "conda" in around(tool, tmp_path)


def test_the_place_behind_a_link_and_the_interpreter_of_a_script_are_shown(tmp_path: Path) -> None:
    """SBX-14."""
    python = program(tmp_path / "venv/bin/python", "")
    real = program(tmp_path / "opt/ninja/bin/ninja", f"#!{python} -I\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ninja").symlink_to(real)
    shown = around(tmp_path / "bin/ninja", tmp_path)
    assert {"bin/ninja", "opt/ninja/bin/ninja", "opt/ninja/lib", "venv/bin/python"} <= shown


def test_a_home_is_never_given_though_a_tool_lies_in_it(tmp_path: Path) -> None:
    """SBX-12, SBX-14: also where all homes are hidden together."""
    home = tmp_path / "home"
    tool = program(home / "bin/bin/x")
    (home / "bin/conda-meta").mkdir()
    walls = Sandbox(hidden=(str(home), str(home / "bin")))
    shown = walls.reading(*installation.around(str(tool))).readable
    assert str(home / "bin") not in shown
    assert str(home / "bin/bin") in shown


def test_a_program_that_is_not_there_is_no_error() -> None:
    """SBX-14."""
    assert installation.around("/no/such/bin/x")[0] == "/no/such/bin/x"
    assert sys.executable in installation.around(sys.executable)


def test_a_folder_that_only_its_owner_may_pass_is_shut_for_others(tmp_path: Path) -> None:
    """SBX-07: of several the topmost; the last name is not a folder to pass."""
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    owner = inner.stat()
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a/b"):
        folder.chmod(0o700)
    own = (owner.st_uid, owner.st_gid)
    assert reach.shut(str(inner), own) == ""
    above = reach.shut(str(inner), (4242, 4242))
    assert above
    assert str(tmp_path).startswith(above)


def test_a_script_of_the_users_own_python_packages_tells_their_base(tmp_path: Path) -> None:
    """SBX-15: one of an environment has its interpreter beside it."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/ninja"
    script.write_text("#!/usr/bin/python3\n")
    assert installation.user_base(str(script)) == ""
    (tmp_path / "lib/python3.11").mkdir(parents=True)
    assert installation.user_base(str(script)) == str(tmp_path)
    (tmp_path / "elsewhere").symlink_to(script)
    assert installation.user_base(str(tmp_path / "elsewhere")) == str(tmp_path)
    script.write_text(f"#!{tmp_path}/bin/python3\n")
    assert installation.user_base(str(script)) == ""
    script.write_text("#!/bin/sh\n")
    assert installation.user_base(str(script)) == ""
    assert installation.user_base("/usr/bin/python3") == ""
