"""Machines other than this one: what is known of them, and what they are for here.

Rules (SPEC ELS-01, ELS-02, ELS-04):
- A machine is told by its platform, or by a file of its facts. What it has may be run against
  there, but nothing can be linked with it here.
- Results for it are made here, with tools that run here; nothing of this machine is in them.
- All that one prefix holds is for machines of one platform, floors aside.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError, UsageError
from crpack.install import state
from crpack.model import platforms, stated
from crpack.model.facts import Facts, Found
from crpack.model.limits import MAX_JSON_BYTES
from crpack.ops import detection

if TYPE_CHECKING:
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Build
    from crpack.session import Session
    from crpack.solve.problem import Context

_RUNS_ONLY = ("provides", "runtime")  # the note of what is there to run, not to link


def machine(session: Session, platform: str, path: str) -> Facts | None:
    """Return the facts of the machine that a command is for; None for this one (SPEC ELS-01).

    Args:
        session: for what the user states of it.
        platform: of it; empty where a file tells it.
        path: of a file of its facts; empty for none.

    Raises:
        UsageError: the platform has no name in crpack; the file holds no facts, or those of a
            machine of another platform.
    """
    asked = platforms.parse(platform) if platform else None
    if asked == platforms.ANY:
        raise UsageError("no machine is `any`", hint="name the platform of the machine")
    if path:
        there = read_facts(path)
        if asked and platforms.parse(there.platform).base != asked.base:
            what = f"the facts in `{path}` are of `{there.platform}`, not of `{asked}`"
            raise UsageError(what, hint="leave out `--platform`, or `--facts`")
    elif asked is None or str(asked) == detection.bare(session).platform:
        return None
    else:
        there = assumed(asked)
    found = tuple(_only_run(one) for one in there.found)
    return detection.stated(session, replace(there, found=found))


def assumed(platform: Platform) -> Facts:
    """Return what is known of a machine of which only the platform is: its floor."""
    floor = {"gnu": "@glibc", "musl": "@musl"}.get(platform.abi, f"@{platform.os}")
    known = ((floor, platform.floor),) if platform.floor else ()
    return Facts(str(platform), capabilities=known)


def read_facts(path: str) -> Facts:
    """Return the facts in a file, saved by `detect --save` or written by hand.

    Raises:
        UsageError: there is no such file, or it holds no facts.
    """
    if not os.path.isfile(path):
        raise UsageError(f"there is no file of facts `{path}`", hint="`crpack detect --save FILE`")
    try:
        facts = stated.by_hand(disk.read(os.path.realpath(path), limit=MAX_JSON_BYTES))
    except (FormatError, InstallError) as error:
        hint = error.hint or "`crpack detect --save FILE` writes the facts of a machine"
        what = f"`{path}`: {error.what}"
        raise UsageError(what, why=error.why, hint=hint, rule=error.rule) from error
    return replace(facts, found=tuple(replace(one, path="", realpath="") for one in facts.found))


def builder(there: Facts, here: Facts) -> Facts:
    """Return the facts of a machine that builds for itself (SPEC BUN-15).

    What it has is what its facts say; where they say nothing it is taken to have the tools that
    this one has, which is seen when it builds.
    """
    return there if there.found else replace(there, found=here.found)


def compiled_for(build: Build, context: Context, facts: Facts, maker: Facts | None) -> Platform:
    """Return the platform that a build compiles for: that of what it makes (SPEC ELS-02).

    A result that is the same everywhere is made by programs that run here.

    Args:
        build: the recipe's `[build]` table.
        context: of the result: a tool runs where results are made.
        facts: of the machine that results run on.
        maker: of the one that makes them, where it is another one.
    """
    if maker is not None and (context == "build" or build.platform == "any"):
        return platforms.parse(maker.platform)
    return platforms.parse(facts.platform)


def check_prefix(session: Session, there: Facts | None) -> None:
    """See that what a prefix holds is for machines of the platform that is installed for.

    Raises:
        UsageError: it is for another one (SPEC ELS-04).
    """
    wanted = platforms.parse(there.platform) if there else detection.platform()
    for item in state.installed(session.prefix):
        if item.damage or base(item.platform) in (None, wanted.base):
            continue
        raise UsageError(
            f"the prefix `{session.prefix}` is for `{item.platform}`, not for `{wanted}`",
            why=[f"`{item.name}` is installed in it"],
            hint=f"use another prefix, or `--platform {item.platform}`",
            rule="ELS-04",
        )


def is_here(platform: str) -> bool:
    """Say whether what was installed for a platform runs on this machine, floors aside."""
    return base(platform) in (None, platforms.ANY, detection.platform().base)


def base(platform: str) -> Platform | None:
    """Return a platform without its floor; None where its name means nothing here."""
    try:
        return platforms.parse(platform).base
    except UsageError:
        return None


def _only_run(found: Found) -> Found:
    notes = {**dict(found.notes), _RUNS_ONLY[0]: _RUNS_ONLY[1]}
    return replace(found, notes=tuple(sorted(notes.items())))
