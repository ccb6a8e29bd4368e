"""Publishing to an index behind ssh, with a real server on the loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.flow.test_index import begun, dataset, index, opened, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flow.tool import Tool

__all__ = ["begun", "index", "tool"]  # fixtures

SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
TOOLS = ("ssh", "scp", "ssh-keygen")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        SSHD is None or not all(map(shutil.which, TOOLS)), reason="no OpenSSH server here"
    ),
]

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
Subsystem sftp internal-sftp
"""
CLIENT = """\
Host far
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `ssh` and `scp` that know the host `far`, while that runs."""
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    public = (folder / "host.pub").read_text(encoding="ascii")
    (folder / "known").write_text(f"[127.0.0.1]:{port} {public}", encoding="ascii")
    values = {"port": port, "folder": folder, "user": getpass.getuser()}
    (folder / "server").write_text(SERVER.format(**values), encoding="ascii")
    (folder / "client").write_text(CLIENT.format(**values), encoding="ascii")
    _wrap(folder, "ssh", f"exec {shutil.which('ssh')} -F {folder}/client")
    _wrap(folder, "scp", f"exec {shutil.which('scp')} -F {folder}/client")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    assert SSHD
    words = [SSHD, "-D", "-f", str(folder / "server"), "-E", str(folder / "log")]
    with subprocess.Popen(words) as server:
        try:
            _answers(folder, server)
            yield folder / "bin"
        finally:
            server.terminate()


def _wrap(folder: Path, name: str, command: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\n{command} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _answers(folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        done = subprocess.run([folder / "bin/ssh", "far", "true"], capture_output=True, check=False)
        if done.returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    log = folder / "log"
    pytest.skip(f"the server does not run here: {log.read_text() if log.exists() else done}")


def _paths(far: Path, *, rsync: bool) -> dict[str, str]:
    return {"PATH": f"{far}:{os.environ['PATH']}" if rsync else str(far)}


@pytest.mark.parametrize("rsync", [True, False], ids=["rsync", "scp"])
def test_an_archive_is_published_behind_ssh(
    tool: Tool, index: Path, far: Path, *, rsync: bool
) -> None:
    """PUB-13, PUB-17."""
    if rsync and not shutil.which("rsync"):
        pytest.skip("no rsync here")
    env = _paths(far, rsync=rsync)
    archive = dataset(tool, "lab/data")
    tool("publish", archive, "--to", f"far:{index}" if rsync else f"ssh://far{index}", env=env)
    shard = opened(tool, index).shards(["lab/data"])["lab/data"]
    assert shard is not None
    assert (index / shard.releases[0].copies[0].url).read_bytes() == archive.read_bytes()
    assert not [path.name for path in index.iterdir() if path.name.startswith(".")]
    tool("index", "check", index)


def test_an_rsync_that_fails_half_way_leaves_nothing_in_the_way_of_scp(
    tool: Tool, index: Path, far: Path, tmp_path: Path
) -> None:
    """PUB-17: `scp` copies into a folder that is there already, one level too deep."""
    half = tmp_path / "half/rsync"
    half.parent.mkdir()
    half.write_text(
        '#!/bin/sh\nfor last do :; done\nmkdir -p "${last#far:}/a"\nexit 12\n', encoding="ascii"
    )
    half.chmod(0o755)
    archive = dataset(tool, "lab/data")
    env = {"PATH": f"{half.parent}:{_paths(far, rsync=True)['PATH']}"}
    tool("publish", archive, "--to", f"far:{index}", env=env)
    assert not [path.name for path in index.iterdir() if path.name.startswith(".")]
    tool("index", "check", index)


def test_publishers_here_and_behind_ssh_do_not_lose_each_other(
    tool: Tool, index: Path, far: Path
) -> None:
    """PUB-15."""
    archives = [dataset(tool, f"lab/n{n}") for n in range(2)]
    places = [f"far:{index}", str(index)]
    env = {"CRPACK_HOME": str(tool.home), "HOME": str(tool.folder), **_paths(far, rsync=False)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "crpack", "publish", str(archive), "--to", place],
            env=env, stderr=subprocess.PIPE, text=True, cwd=tool.folder,
        )
        for archive, place in zip(archives, places, strict=True)
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 2, said
    assert opened(tool, index).contents.names == 2
    tool("index", "check", index)


def test_a_host_that_is_not_there_is_exit_5(tool: Tool, index: Path, far: Path) -> None:
    archive = dataset(tool, "lab/data")
    env = _paths(far, rsync=False)
    done = tool("publish", archive, "--to", f"nowhere.invalid:{index}", env=env, code=5)
    assert "cannot be reached by ssh" in done.err
    tool("publish", archive, "--to", f"far:{index}", "--offline", env=env, code=5)


@pytest.mark.parametrize("place", ["-oProxyCommand=x:/a", "far:/a b", "far:$(id)", "https://far/a"])
def test_a_place_that_would_be_more_than_a_place_is_refused(
    tool: Tool, far: Path, place: str
) -> None:
    tool("publish", "x.crpkg", f"--to={place}", env=_paths(far, rsync=False), code=2)
