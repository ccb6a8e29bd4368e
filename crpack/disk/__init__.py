"""The only writer: small operations on files, each with named fault points.

Rules (SPEC STO-10…):
- Every effect stands between two fault points (`faults`), where tests fail or end the process.
- A system error becomes an `InstallError` that names the file, at the effect that failed.
- Nothing follows a link that it did not make: private writes go through directory descriptors,
  and files are created, never opened for change.
- The order that survives a power cut is the caller's: write, `sync_tree`, `rename`, and last
  `switch_link`. `rename`, `atomic_write` and `switch_link` make the names they give durable.
- Locks are `flock`: the kernel frees them when their holder dies.

Linux and macOS. Windows has neither `flock` nor directory descriptors; a port replaces this
package and nothing else.
"""

from __future__ import annotations

from crpack.disk.faults import arm, failure, points
from crpack.disk.files import (
    atomic_write,
    free_bytes,
    make_folders,
    make_link,
    names,
    open_log,
    read,
    rename,
    replace_file,
    switch_link,
    sync_folder,
    sync_tree,
    write_file,
)
from crpack.disk.folder import Folder
from crpack.disk.locks import Lock, hold, lock, try_lock
from crpack.disk.owner import give_tree
from crpack.disk.parts import Part, create_part, open_part, sweep_parts
from crpack.disk.removal import remove_file, remove_tree
from crpack.disk.scratch import create_file, make_private, publish_file, temporary_stage
from crpack.disk.stages import Stage, abandoned, discard, make_stage, sweep

__all__ = [
    "Folder",
    "Lock",
    "Part",
    "Stage",
    "abandoned",
    "arm",
    "atomic_write",
    "create_file",
    "create_part",
    "discard",
    "failure",
    "free_bytes",
    "give_tree",
    "hold",
    "lock",
    "make_folders",
    "make_link",
    "make_private",
    "make_stage",
    "names",
    "open_log",
    "open_part",
    "points",
    "publish_file",
    "read",
    "remove_file",
    "remove_tree",
    "rename",
    "replace_file",
    "sweep",
    "sweep_parts",
    "switch_link",
    "sync_folder",
    "sync_tree",
    "temporary_stage",
    "try_lock",
    "write_file",
]
