"""What `doctor` looks at on the machine: Python, platform, clock, sandbox, compilers, tools.

Rules (SPEC CLI-09): what can be tried is tried, in a child where it may hurt; no setting is taken
for a fact, and no network connection is opened.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import crpack
from crpack.detect import machine
from crpack.errors import BuildFailed, CrpackError
from crpack.install.python import tools
from crpack.make import advice
from crpack.make.toolchains import choice
from crpack.model import platforms
from crpack.model.dates import moment
from crpack.model.quantity import counted
from crpack.ops import detection, indexes, policy, pythons
from crpack.ops.finding import Finding, of_error
from crpack.process import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.session import Session

_TOOLS = ("make", "cmake", "ninja", "pkg-config")  # that recipes build with most


def interpreter(session: Session) -> Iterator[Finding]:
    """Look at crpack itself and the Python that runs it."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("crpack", "ok", f"{crpack.__version__}, on Python {version} ({sys.executable})")
    if session.config.flag("offline"):
        yield Finding("network", "ok", "none is used: the setting `offline` is set")


def platform(session: Session) -> Iterator[Finding]:
    """Look at the platform and what it can do."""
    facts = detection.stated(session, detection.facts(session)[0])
    can = ", ".join(f"{name} {text}" for name, text in facts.capabilities)
    yield Finding("platform", "ok", f"{facts.platform} ({can})")
    for text in detection.told(session, facts):
        hint = "leave the setting `fact` out to count on what is there"
        yield Finding("platform", "warn", text, hint)


def clock(_: Session) -> Iterator[Finding]:
    """Look at the clock: indexes are judged by it."""
    now = datetime.now(UTC)
    dates = [crpack.RELEASED]
    with suppress(CrpackError):  # what is wrong with the index is told with the others
        dates += [index.date for index in indexes.embedded()]
    released = max(moment(text) for text in dates)
    if now < released - timedelta(days=1):
        said = f"it says {now:%Y-%m-%d}, before this crpack was made ({released:%Y-%m-%d})"
        yield Finding("clock", "fail", said, "set it, or let NTP do so: `timedatectl`")
        return
    yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def walls(session: Session) -> Iterator[Finding]:
    """Build the walls around a build, in a child."""
    setting = session.config.text("sandbox")
    reached = sandbox.best("L3", policy.builder(session))
    why = "; ".join(f"{level}: {reason}" for level, reason in reached.refused)
    said = f"level {reached.level}" + (f" ({why})" if why else "")
    if setting == policy.NONE:
        hint = "leave the setting `sandbox` out"
        yield Finding("sandbox", "warn", f"{said}, but builds run unconfined as was set", hint)
    elif reached.level == "L0":
        hint = "a kernel with seccomp is needed; `--sandbox=none` builds without walls"
        yield Finding("sandbox", "fail", said, hint)
    elif reached.level == "L1":
        hint = "only signers who may build (`crpack help signatures`) can; a newer kernel helps"
        yield Finding("sandbox", "warn", said, hint)
    else:
        yield Finding("sandbox", "ok", said)


def compilers(session: Session) -> Iterator[Finding]:
    """Look for what builds need."""
    facts, _ = detection.facts(session)
    os_release = machine.os_release()
    own = platforms.parse(facts.platform)
    facts = replace(facts, found=(*facts.found, *detection.own_zig()))
    try:
        chosen = choice.choose(facts, own, os_release=os_release)
        yield Finding("compilers", "ok", f"{chosen.family} {chosen.version}")
    except BuildFailed as error:
        said = f"{error.what}; only what is prebuilt can be installed"
        yield Finding("compilers", "warn", said, error.hint)
    missing = [name for name in _TOOLS if not facts.all(name)]
    if missing:
        hint = advice.install_command(missing[0], os_release=os_release, os=own.os)
        said = f"{', '.join(missing)} not found; recipes that need one do not build"
        yield Finding("build tools", "warn", said, hint)
    else:
        yield Finding("build tools", "ok", ", ".join(_TOOLS))


def packages(session: Session) -> Iterator[Finding]:
    """Look for the Python of solutions, and for what installs its packages."""
    facts, _ = detection.facts(session)
    try:
        chosen = pythons.choose(session, facts, ())
        tool = tools.find_tool(chosen, os.environ)
    except CrpackError as error:
        yield of_error("Python packages", error, "warn")
        return
    said = f"{tool.kind} ({' '.join(tool.argv)}) for Python {chosen.version} ({chosen.path})"
    yield Finding("Python packages", "ok", said)


def found(session: Session) -> Iterator[Finding]:
    """Count the software that was detected."""
    facts, seen = detection.facts(session)
    said = f"{counted(len({one.name for one in facts.found}), 'name')} of software found"
    if seen.refused:
        said += f", {counted(len(seen.refused), 'file')} refused (`crpack detect -v`)"
    yield Finding("detection", "ok", said)
