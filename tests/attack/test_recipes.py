"""Recipes that mean harm: bounded, refused, and told in one clear sentence."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crpack.errors import BuildFailed
from crpack.model.recipe import Build, ScriptTable
from crpack.process.run import Limits
from crpack.process.sandbox import NONE
from tests.unit.make.room import WALLS, made

FENCED = pytest.mark.skipif(WALLS.level < "L2", reason="this kernel fences no folders")
# An interpreter that no wall hides, wherever the tests lie.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
QUIET = pytest.mark.skipif(WALLS.level < "L1", reason="this kernel cuts no network")


def shell(text: str, *more: str) -> Build:
    return Build("script", script=ScriptTable((("/bin/sh", "-c", text, "sh", *more),)))


def python(text: str, *more: str) -> Build:
    return Build("script", script=ScriptTable(((PYTHON, "-c", text, *more),)))


def refusal(root: Path, build: Build, **more: Limits) -> BuildFailed:
    with pytest.raises(BuildFailed) as failure:
        made(root, build, {}, **more)  # type: ignore[arg-type] # only `limits`
    assert failure.value.exit_code == 6
    return failure.value


@FENCED
def test_a_step_cannot_write_outside_of_its_folders(tmp_path: Path) -> None:
    """BLD-15."""
    outside = tmp_path / "outside"
    error = refusal(tmp_path, shell("echo harm > $1", str(outside)))
    assert error.what == "the step `script 1` of `toy 1.0` failed with exit status 2"
    assert not outside.exists()


@FENCED
def test_a_step_cannot_change_the_log_or_its_neighbours(tmp_path: Path) -> None:
    """BLD-15."""
    refusal(tmp_path, shell("echo truth; rm -f $1/log && mv $1/out $1/other", str(tmp_path)))
    assert "truth" in (tmp_path / "log").read_text("utf-8")
    assert not (tmp_path / "other").exists()


@QUIET
def test_a_step_cannot_reach_the_network(tmp_path: Path) -> None:
    """BLD-15."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = str(server.getsockname()[1])
        text = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
        error = refusal(tmp_path, python(text, port))
        with pytest.raises(TimeoutError):
            server.accept()
    assert "exit status 1" in error.what


def test_nothing_that_a_step_starts_outlives_it(tmp_path: Path) -> None:
    """BLD-15."""
    beat = "(while :; do echo x >> $1/beat; sleep 0.02; done) &"
    away = "setsid sh -c 'while :; do echo y >> $1/beat; sleep 0.02; done' sh $1 &"
    both = "until grep -q x $1/beat && grep -q y $1/beat; do sleep 0.02; done"
    made(tmp_path, shell(f"touch $1/beat; {beat} {away} {both}", "{out}"), {})
    first = (tmp_path / "out/beat").read_bytes()
    time.sleep(0.15)
    assert b"x" in first
    assert b"y" in first
    assert (tmp_path / "out/beat").read_bytes() == first


def test_many_processes_end_with_their_step(tmp_path: Path) -> None:
    """BLD-15."""
    text = (
        "import os, sys, time\n"
        "open(sys.argv[1] + '/beat', 'w').close()\n"  # however late its children come
        "for _ in range(150):\n"
        "    if os.fork() == 0:\n"
        "        while True:\n"
        "            time.sleep(0.3)\n"
        "            open(sys.argv[1] + '/beat', 'a').write('x')\n"
        "time.sleep(60)\n"
    )
    error = refusal(tmp_path, python(text, "{out}"), limits=Limits(wall_s=1.0))
    assert "did not end within" in error.what
    first = (tmp_path / "out/beat").read_bytes()
    time.sleep(0.4)
    assert (tmp_path / "out/beat").read_bytes() == first


def test_a_fork_bomb_meets_the_limit() -> None:
    """BLD-15: as another user when root runs the tests, whose processes no kernel counts."""
    walls = replace(WALLS, user=(65534, 65534) if os.geteuid() == 0 else None)
    limits = Limits(wall_s=120, processes=40)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - that user must be able to enter
        with pytest.raises(BuildFailed, match="exit status") as failure:
            made(Path(folder), shell("while :; do sleep 60 & done"), {}, limits=limits, walls=walls)
    assert any("fork" in line.lower() for line in failure.value.why)


def test_a_gigabyte_of_output_fills_no_disk(tmp_path: Path) -> None:
    """BLD-15."""
    build = shell("head -c 1000000000 /dev/zero; echo end")
    made(tmp_path, build, {}, limits=Limits(wall_s=300, output_bytes=100_000))
    log = (tmp_path / "log").read_bytes()
    assert len(log) < 110_000
    assert log.endswith(b"# more output was dropped\n")


def test_a_huge_file_meets_the_limit(tmp_path: Path) -> None:
    """BLD-15."""
    build = shell("head -c 3000000 /dev/zero > $1/huge", "{out}")
    error = refusal(tmp_path, build, limits=Limits(wall_s=120, file_bytes=1_000_000))
    assert "failed with exit status" in error.what
    assert (tmp_path / "out/huge").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ln -s /etc/passwd x", "PTH-06"),
        ("ln -s ../../x x", "PTH-06"),
        ("mkdir a; ln -s ../.. a/x", "PTH-06"),
        ("ln -s x x", "PTH-07"),
        ("echo > a; echo > A", "PTH-04"),
        ("echo > 'a\nb'", "PTH-01"),
        ("echo > \"$(printf 'a\\377')\"", "PTH-01"),
        ("echo > con.txt", "PTH-03"),
        ("mkfifo x", "BLD-12"),
        ("i=0; while [ $i -lt 70 ]; do mkdir d; cd d; i=$((i+1)); done; echo > x", "PTH-02"),
        ("cd ..; rmdir out && ln -s /etc out", "BLD-12"),
    ],
)
def test_a_result_that_no_archive_may_hold_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    """BLD-12: judged by what is read, whatever the sandbox let happen."""
    with pytest.raises(BuildFailed) as failure:
        made(tmp_path, shell(f"cd $1; {text}", "{out}"), {}, walls=NONE)
    assert failure.value.rule == rule
    assert failure.value.exit_code == 6


def test_a_socket_in_the_result_is_refused(tmp_path: Path) -> None:
    """BLD-12."""
    text = "import os, socket, sys; os.chdir(sys.argv[1]); socket.socket(1).bind('x')"
    assert refusal(tmp_path, python(text, "{out}")).why[0] == "`x` is a socket"


def test_an_output_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """BLD-16."""
    text = r"printf '\033[2J\033]0;title\007\r\nlast\033[31m\302\233word\n'; exit 1"
    error = refusal(tmp_path, shell(text))
    assert all(line.isprintable() for line in error.why)
    assert error.why[-1].startswith("last")


def test_one_endless_line_is_cut(tmp_path: Path) -> None:
    """BLD-16."""
    error = refusal(tmp_path, shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 1"))
    assert max(map(len, error.why)) <= 500


def test_an_argument_is_no_shell_word(tmp_path: Path) -> None:
    """BLD-03, BLD-11."""
    evil = "; touch $1/harm; $(touch harm) `touch harm` & | > *"
    build = Build("script", script=ScriptTable((("/bin/echo", evil),)))
    built = made(tmp_path, build, {})
    assert built.entries == ()
    assert evil in (tmp_path / "log").read_text("utf-8")
