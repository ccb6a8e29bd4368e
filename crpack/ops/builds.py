"""Builds remembered by key: the only build cache (DESIGN 10, 11).

Rules (SPEC BLD-18):
- `built/<key>.json` says what one build made: its tree, how, and what its audit found.
- A record is believed only if its tree is in the store; a damaged one counts as none.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.model import canonical, document
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from crpack.make.plan import MakePlan
    from crpack.make.runner import Built
    from crpack.ops.making import Job


def path_of(prefix: str, key: str) -> str:
    """Return the file that remembers a build."""
    return os.path.join(prefix, "built", f"{key}.json")


def tree_of(prefix: str, key: str) -> str:
    """Return the tree that a build with this key made; empty when none is remembered."""
    try:
        data = disk.read(path_of(prefix, key), limit=MAX_JSON_BYTES)
        tree = canonical.decode(data, what="a build's record")["tree"]
    except (InstallError, FormatError, KeyError, TypeError):
        return ""
    return tree if isinstance(tree, str) else ""


def remember(prefix: str, identity: str, job: Job, plan: MakePlan, built: Built) -> None:
    """Write the record of a build whose tree is in the store."""
    disk.make_folders(os.path.join(prefix, "built"))
    toolchain = str(plan.toolchain) if plan.toolchain else ""
    record: dict[str, object] = {
        "tree": built.tree,
        "identity": identity,
        "component": plan.component,
        "options": dict(job.options),
        "dependencies": {name: root.tree for name, root in job.deps if root.tree},
        "externals": [
            {"soname": one.soname, "version": one.version, "sha256": one.sha256}
            for _, root in job.deps
            for one in root.externals
        ],
        "target": str(plan.target),
        "toolchain": toolchain,
        "audit": asdict(built.audit),
        "test": asdict(built.test),
        "sandbox": built.sandbox,
        "network": built.network,
        "log": os.path.basename(built.log),
    }
    disk.atomic_write(path_of(prefix, built.key), document.encode(record))
