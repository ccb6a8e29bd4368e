"""The command in a home of its own, and small components to try it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.flow.forked import Forker

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = ("PATH", "LANG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")


# What was detected on this machine is the same in every home: asking each tool again costs more
# than most tests. What a test does to the environment keeps it apart.
_DETECTED = ("machine.json", "detect.json", "detected.json")
_KNOWN: dict[str, bytes] = {}
_FORKER = Forker()


def lend(cache: Path) -> None:
    """Put what was detected already into a cache that is not there yet."""
    if not _KNOWN or cache.exists():
        return
    cache.mkdir(parents=True)
    for name, data in _KNOWN.items():
        (cache / name).write_bytes(data)


def learn(cache: Path) -> None:
    """Keep what was detected, for `lend`, where more of it was than ever before."""
    names = [name for name in _DETECTED if (cache / name).is_file()]
    if len(names) > len(_KNOWN):
        _KNOWN.update({name: (cache / name).read_bytes() for name in names})


def _run(
    words: list[str], text: str, cwd: Path, env: dict[str, str], umask: int
) -> subprocess.CompletedProcess[str]:
    """Run `crpack` in a fork where one sees what a new interpreter would, or else in one."""
    if _FORKER.serves(env, text):
        return _FORKER.run(words, text, str(cwd), env, umask)
    argv = [sys.executable, "-m", "crpack", *words]
    return subprocess.run(
        argv, input=text, capture_output=True, text=True, cwd=cwd, env=env, umask=umask,
        check=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object on standard output."""
        return json.loads(self.out)


class Tool:
    """The command `crpack` with a home below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"

    @property
    def prefix(self) -> Path:
        """The folder of installations."""
        return self.home / "data"

    def __call__(
        self,
        *words: str | Path,
        code: int | tuple[int, ...] = 0,
        text: str = "",
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        umask: int = -1,
    ) -> Done:
        """Run one command and see that it ends with the code."""
        kept = {key: os.environ[key] for key in os.environ if key in _KEPT or "PIP" in key}
        usual = not env
        if usual:
            lend(self.home / "cache")
        env = {**kept, "CRPACK_HOME": str(self.home), "HOME": str(self.folder), **(env or {})}
        done = _run([*map(str, words)], text, cwd or self.folder, env, umask)
        if usual:
            learn(self.home / "cache")
        said = f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        allowed = code if isinstance(code, tuple) else (code,)
        assert done.returncode in allowed, said
        assert "Traceback" not in done.stderr, said
        return Done(done.returncode, done.stdout, done.stderr)

    def with_key(self) -> Tool:
        """Make a throw-away key and pin it for all names."""
        self("key", "new", "test", "--no-passphrase")
        self("trust", "add", self.home / "config/keys/test.pub", "--names", "*")
        return self


def component(folder: Path, toml: str, **files: str) -> Path:
    """Write a component's folder; `__` in a keyword stands for `/`, and `_dot_` for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crpack.toml").write_text(toml, encoding="utf-8")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


HEAD = """\
[package]
name = "{name}"
version = "{version}"
kind = "{kind}"
summary = "a component of the tests"
license = "Apache-2.0"
"""


def head(name: str, version: str = "1.0", kind: str = "program") -> str:
    """Return a `[package]` table."""
    return HEAD.format(name=name, version=version, kind=kind)


PROGRAM = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "make"
[outputs]
exe = ["bin/greet"]
[exports]
bin = ["bin"]
"""

MAKEFILE = """\
greet: greet.c
\t$(CC) -O1 -o $@ greet.c
install: greet
\tmkdir -p $(DESTDIR)$(PREFIX)/bin
\tcp greet $(DESTDIR)$(PREFIX)/bin/
"""


def program(folder: Path, word: str = "hello", version: str = "1.0") -> Path:
    """Write a C program that prints a word."""
    source = f'#include <stdio.h>\nint main(void) {{ puts("{word}"); return 0; }}\n'
    return component(
        folder, head("greet", version) + PROGRAM, src__Makefile=MAKEFILE, src__greet_dot_c=source
    )


SOLUTION = """
[requires]
greet = ">=1"
[[source]]
kind = "local"
path = "main.py"
[build]
driver = "copy"
[action.run]
argv = ["{python}", "{self}/main.py", "{input}", "{output}", "{dep.greet}/bin/greet"]
[action.run.params.times]
type = "int"
default = 1
range = [1, 9]
[action.run.inputs.image]
type = "path"
[action.run.outputs]
said = { type = "string", required = true }
score = { type = "float" }
[action.validate]
argv = ["{python}", "{self}/main.py", "{input}", "{output}", "{dep.greet}/bin/greet"]
[action.validate.params.times]
type = "int"
default = 1
[action.validate.outputs]
score = { type = "float" }
[metrics.score]
reference = 0.5
tolerance = 0.01
"""

MAIN = """\
import json, subprocess, sys
given = json.load(open(sys.argv[1]))
said = subprocess.run([sys.argv[3]], capture_output=True, text=True, check=True).stdout.strip()
answer = {"said": " ".join([said] * given.get("times", 1)), "score": SCORE}
json.dump(answer, open(sys.argv[2], "w"))
"""


def solution(folder: Path, score: str = "0.5", version: str = "1.0") -> Path:
    """Write a solution that runs the program `greet`."""
    main = MAIN.replace("SCORE", score)
    return component(folder, head("sample", version, "solution") + SOLUTION, main_dot_py=main)
