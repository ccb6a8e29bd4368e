"""How much a recipe is trusted to build here: the walls around its steps, by who signed it.

Rules (SPEC BLD-19, BLD-20):
- A recipe whose signer may build, and an author's own, gets the best level that this machine
  builds, L1 at least. Any other gets L2 at least: below, it could write and read what the user can.
- `sandbox = "best-effort"` takes L1 for those too, `"none"` takes no walls at all. Both are the
  user's explicit wish, told and recorded; nothing else weakens a wall.
- What a level is good for here is found by building it in a child (SBX-03).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack.errors import BuildFailed
from crpack.ops.progress import News, silent
from crpack.process import reach, sandbox
from crpack.process.sandbox import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.ops.progress import Tell
    from crpack.process.sandbox import Level, Reached
    from crpack.session import Session
    from crpack.trust.pins import Pin

BEST, BEST_EFFORT, NONE = "best", "best-effort", "none"  # the setting `sandbox`
_NOBODY = (65534, 65534)


def may_build(pins: Iterable[Pin], name: str, signers: Iterable[str]) -> bool:
    """Say whether one of the keys that vouch for a name is pinned as one that may build."""
    keyids = set(signers)
    return any(pin.may_build and pin.keyid in keyids and pin.covers(name) for pin in pins)


def lowest(setting: str, *, trusted: bool) -> Level:
    """Return the lowest level that a recipe may be built in (SPEC BLD-19, BLD-20)."""
    if setting == NONE:
        return "L0"
    return "L1" if trusted or setting == BEST_EFFORT else "L2"


def check(session: Session, name: str, *, trusted: bool) -> None:
    """See, before anything is fetched or unpacked, that a recipe can be built here.

    Raises:
        BuildFailed: no level that its signer needs can be built on this machine.
    """
    setting = session.config.text("sandbox")
    if setting != NONE:
        _check(sandbox.best("L3", builder(session)), name, setting, trusted=trusted)


def walls(
    session: Session,
    name: str,
    *,
    trusted: bool,
    places: tuple[str, ...] = (),
    tell: Tell = silent,
) -> sandbox.Sandbox:
    """Return the walls around the steps of a recipe.

    Args:
        session: for settings and private folders.
        name: of the component.
        trusted: its signer may build, or it is the author's own.
        places: what the steps need. Where another user has no way to one of them and the walls
            make none, root's steps run as root, which is told.
        tell: takes the news.

    Raises:
        BuildFailed: this machine builds no level that is enough.
    """
    setting = session.config.text("sandbox")
    user = builder(session)
    reached = sandbox.Reached("L0") if setting == NONE else sandbox.best("L3", user)
    if user and reached.level != "L3":
        closed = [folder for path in places if (folder := reach.shut(path, user))]
        if closed:
            tell(News("Building", f"as root: user {user[0]} has no way into `{closed[0]}`"))
            user = None
    _check(reached, name, setting, trusted=trusted)
    tell(News("Building", f"{name} in sandbox level {reached.level}"))
    return sandbox.Sandbox(level=reached.level, hidden=session.private_folders(), user=user)


def builder(session: Session) -> tuple[int, int] | None:
    """Return who runs the steps of root's builds: the prefix's owner, else nobody (SPEC BLD-18).

    None for an ordinary user, whose steps run as that user.
    """
    if os.geteuid() != 0:
        return None
    place = os.path.realpath(session.prefix)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    status = os.stat(place)
    return (status.st_uid, status.st_gid) if status.st_uid else _nobody()


def _check(reached: Reached, name: str, setting: str, *, trusted: bool) -> None:
    wanted = lowest(setting, trusted=trusted)
    if LEVELS.index(reached.level) >= LEVELS.index(wanted):
        return
    why = [f"{level}: {reason}" for level, reason in reached.refused]
    data = {"level": reached.level, "wanted": wanted}
    if reached.level == "L0":
        raise BuildFailed(
            f"this machine cannot confine the build of `{name}`",
            why=why,
            hint="let it run unconfined with `--sandbox=none`",
            data=data,
            rule="BLD-19",
        )
    raise BuildFailed(
        f"`{name}` needs sandbox level {wanted} to be built, and this machine builds "
        f"{reached.level}",
        why=["its signer is not one who may build in less", *why],
        hint="let it run in what there is with `--sandbox=best-effort`; or trust its signer to "
        "build: `crpack trust add KEYFILE --names PATTERN --may-build`",
        data=data,
        rule="BLD-19",
    )


def _nobody() -> tuple[int, int]:
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY
    return entry.pw_uid, entry.pw_gid
