"""The tools that know Python packaging: an interpreter, and `uv` or `pip`, as found here.

Rules (SPEC PYE-01, PYE-02):
- An interpreter is what it says of itself, asked in a process of its own.
- To install, `uv` is taken when it is on PATH; else the `pip` of crpack's own interpreter, of the
  interpreter asked about, or the one that Python carries to set up environments. `pip` works on
  another interpreter with `--python` (22.3 or newer).
- Both see the user's own configuration when they choose wheels, and nothing of it when they
  install them. Of the environment they see a written list: a secret in another variable is
  none of their business, and a requirement may not ask for it (SPEC PYE-03).
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import InstallError
from crpack.process.run import Limits, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.process.run import Outcome

_ASK = """\
import importlib.util as u, json, os, platform, sys, sysconfig
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "abi": sysconfig.get_config_var("SOABI") or "",
    "base": os.path.realpath(base),
    "pip": u.find_spec("pip") is not None,
}))
"""
_MARKERS = """\
import json, os, platform, sys
print(json.dumps({
    "implementation_name": sys.implementation.name,
    "implementation_version": platform.python_version(),
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(),
    "platform_system": platform.system(),
    "platform_version": platform.version(),
    "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": sys.platform,
}))
"""
_PATIENCE = Limits(wall_s=3600.0)
_QUICK = Limits(wall_s=60.0, output_bytes=64 * 1024)

# What a tool needs to find its files, its index and the network (the latter in either case).
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LC_[A-Z]+|XDG_[A-Z_]+|(LD|DYLD)_LIBRARY_PATH|NETRC"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(PIP|UV)_[A-Z0-9_]+"
    r"|(?i:(http|https|all|no)_proxy)"
)
# Of these, what points pip to places of the caller's own.
_MISLEADING = ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_ROOT", "PIP_TARGET", "PIP_USER")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter.

    Attributes:
        path: where it was found.
        base: the program itself, behind links and virtual environments.
        implementation: such as `cpython`; `version` such as `3.11.7`; `abi` names its extensions.
        has_pip: it can run `-m pip`.
    """

    path: str
    base: str
    implementation: str
    version: str
    abi: str
    has_pip: bool = False

    @property
    def identity(self) -> str:
        """What it says of itself, without where it is: `cpython-3.11.7-cpython-311-x86_64-…`."""
        return "-".join(part for part in (self.implementation, self.version, self.abi) if part)


@dataclass(frozen=True, slots=True)
class Tool:
    """`uv` or `pip`, as the beginning of a command."""

    kind: Literal["uv", "pip"]
    argv: tuple[str, ...]


def ask(path: str, environ: Mapping[str, str]) -> Interpreter:
    """Return the interpreter at a path.

    Raises:
        InstallError: it does not start or does not answer as a Python interpreter does.
    """
    answer = _answer(path, _ASK, environ)
    try:
        texts = {key: str(answer[key]) for key in ("implementation", "version", "abi", "base")}
        return Interpreter(path, has_pip=answer["pip"] is True, **texts)
    except KeyError as error:
        raise _broken(path, "it answers something else") from error


def markers(path: str, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the environment that markers are asked of at an interpreter (PEP 508).

    Raises:
        InstallError: as `ask`.
    """
    return tuple((key, str(value)) for key, value in _answer(path, _MARKERS, environ).items())


def _answer(path: str, script: str, environ: Mapping[str, str]) -> dict[str, object]:
    seen = own_environment(environ)
    outcome = run([path, "-I", "-c", script], cwd="/", env=seen, limits=_QUICK)
    try:
        answer = json.loads(outcome.stdout)
        if outcome.code != 0 or not isinstance(answer, dict):
            raise ValueError
    except (ValueError, RecursionError) as error:
        why = (*_last_lines(outcome.stderr, 1), "it does not answer")
        raise _broken(path, why[0]) from error
    return answer


def _broken(path: str, why: str) -> InstallError:
    what = f"`{path}` is not a Python interpreter that works"
    return InstallError(what, why=[why], hint="name another one with the setting `python`")


def find_tool(interpreter: Interpreter, environ: Mapping[str, str]) -> Tool:
    """Return the tool to use for an interpreter (SPEC PYE-02).

    Raises:
        InstallError: there is none.
    """
    import importlib.util
    import shutil

    if uv := shutil.which("uv", path=environ.get("PATH", "")):
        return Tool("uv", (uv,))
    if importlib.util.find_spec("pip"):
        return Tool("pip", (sys.executable, "-m", "pip"))
    if interpreter.has_pip:
        return Tool("pip", (interpreter.path, "-m", "pip"))
    if carried := _carried_pip():
        return Tool("pip", (sys.executable, carried))
    raise InstallError(
        "there is neither `uv` nor `pip` to get Python packages with",
        why=["looked for `uv` on PATH, and for `pip` in the Python of crpack and of the solution"],
        hint="install one, such as with `apt install python3-venv` and `python3 -m ensurepip`",
    )


def _carried_pip() -> str:
    """Return the pip inside the wheel that Python's `ensurepip` carries; empty without one."""
    import importlib.util

    spec = importlib.util.find_spec("ensurepip")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        bundle = os.path.join(folder, "_bundled")
        for name in os.listdir(bundle) if os.path.isdir(bundle) else ():
            if name.startswith("pip-") and name.endswith(".whl"):
                return os.path.join(bundle, name, "pip")
    return ""


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the tools may see of the user's environment (SPEC PYE-03)."""
    kept = {k: v for k, v in environ.items() if _KEPT.fullmatch(k) and k not in _MISLEADING}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PIP_BREAK_SYSTEM_PACKAGES": "1",  # a dry run breaks nothing, and environments are ours
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def closed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the user's configuration: no index, no network (PYE-03)."""
    plain = {k: v for k, v in environ.items() if not k.startswith(("PIP_", "UV_"))}
    return {
        **own_environment(plain),
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "UV_OFFLINE": "1",
    }


def call(tool: Sequence[str], folder: str, environ: Mapping[str, str]) -> Outcome:
    """Run a tool in a folder to its end and return how it ended."""
    return run(tool, cwd=folder, env=environ, limits=_PATIENCE)


def reasons(outcome: Outcome) -> list[str]:
    """Return what a tool said about its failure: its error lines, else its last ones."""
    text = outcome.stderr.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    marked = [line for line in lines if line.lower().startswith(("error:", "cause:"))]
    found = [(line.partition(":")[2].strip() or line)[:300] for line in marked][:5]
    if outcome.timed_out:
        return ["it did not come to an end"]
    return found or _last_lines(outcome.stderr, 3) or [f"it ended with the code {outcome.code}"]


def _last_lines(data: bytes, count: int) -> list[str]:
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    return [line[:300] for line in lines if line][-count:]
