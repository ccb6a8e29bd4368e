"""Law 2: bytes in, facts out. The modules that touch the world are a written list."""

from __future__ import annotations

import ast

from tests.house.source import Module, dotted, imports, modules, parse, report

# Modules of the standard library that read or change what is outside of the process.
WORLD = {
    "asyncio", "ctypes", "fcntl", "getpass", "glob", "http", "importlib", "locale", "mmap",
    "multiprocessing", "pathlib", "platform", "pwd", "random", "resource", "secrets", "select",
    "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sysconfig",
    "tempfile", "termios", "time", "tty", "urllib.request", "uuid", "zoneinfo",
}  # fmt: skip

# What of `os`, `sys` and `datetime` is a plain function or constant.
PURE = {
    "os": {"fsdecode", "fsencode", "fspath", "sep", "pathsep", "linesep", "name",
           "curdir", "pardir", "PathLike", "stat_result", "DirEntry"},
    "os.path": {"join", "split", "splitext", "dirname", "basename", "normpath", "commonpath",
                "isabs", "relpath", "sep", "pardir"},
    "sys": {"exit", "maxsize", "byteorder", "version_info", "intern", "exc_info", "modules"},
}  # fmt: skip
CLOCKS = {"now", "today", "utcnow"}

# What writes to the file system; only `crpack.disk` does.
WRITERS = {
    "os": {"chmod", "chown", "fchmod", "ftruncate", "link", "makedirs", "mkdir", "mkfifo", "mknod",
           "remove", "removedirs", "rename", "renames", "replace", "rmdir", "symlink", "truncate",
           "unlink", "utime"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move", "rmtree", "unpack_archive"},
    "tempfile": {"mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory"},
}  # fmt: skip

# The written list: module or package, and what of the world it touches.
TOUCHES = {
    "crpack.__main__": "the words of the command line",
    "crpack.cli": "words, environment, terminal, signals",
    "crpack.detect.asking": "which interpreter, user and processors ask",
    "crpack.detect.databases.rpm": "reads rpm's database",
    "crpack.detect.eyes": "looks at this machine's files for the probes",
    "crpack.detect.machine": "this machine's files, processor and C library",
    "crpack.detect.path": "looks at the files of PATH",
    "crpack.detect.plan": "which folders of PATH exist and who asks",
    "crpack.detect.scan": "starts probes; the date of the facts",
    "crpack.disk": "the file system: the only writer",
    "crpack.fetch": "the network; reads what was downloaded; deadlines",
    "crpack.index.bootstrap": "where the index of crpack lies",
    "crpack.index.retrieve": "reads the copies that it fetched",
    "crpack.install": "reads the store, generations and environments",
    "crpack.make.audit": "reads the made binaries",
    "crpack.make.result": "reads the made files",
    "crpack.make.runner": "runs the plan; its log",
    "crpack.make.warming": "runs zig once for each target; what it kept",
    "crpack.ops": "the user's folders and environment; the clock of run records",
    "crpack.process": "starts programs; signals, limits, sandbox; the clock",
    "crpack.settings": "settings files and variables",
    "crpack.session": "the user's own files",
    "crpack.trust.keys": "random numbers for keys and salts",
    "crpack.work": "the files that inputs name; the streams of the running action",
}

# What stays pure for good: parsers, plans, signatures, settings. No line above may cover these.
NEVER = (
    "crpack.archive",
    "crpack.binary",
    "crpack.config",
    "crpack.detect.agreement",
    "crpack.detect.evidence",
    "crpack.detect.macros",
    "crpack.detect.memory",
    "crpack.detect.pkgconfig",
    "crpack.detect.probes",
    "crpack.detect.revisions",
    "crpack.errors",
    "crpack.index.contents",
    "crpack.index.entries",
    "crpack.index.head",
    "crpack.index.publish",
    "crpack.index.publishers",
    "crpack.index.release",
    "crpack.install.plan",
    "crpack.install.python.exact",
    "crpack.make.drivers",
    "crpack.make.key",
    "crpack.make.plan",
    "crpack.make.toolchains",
    "crpack.ops.selection",
    "crpack.work.explore",
    "crpack.work.golden",
    "crpack.work.executors.answers",
    "crpack.work.judge",
    "crpack.work.measures",
    "crpack.work.statistics",
    "crpack.model",
    "crpack.solve",
    "crpack.trust.bundles",
    "crpack.trust.envelope",
    "crpack.trust.indexes",
    "crpack.trust.pins",
    "crpack.trust.results",
    "crpack.trust.roots",
    "crpack.zstd",
)

# Who else writes, and where.
WRITES = {
    "crpack.disk": "the only writer below a prefix or a home",
    "crpack.process": "pipes; user map and mount points, in the child that builds a sandbox",
}


def touched(module: Module) -> list[str]:
    """Return what of the world a module touches."""
    found = []
    for one in imports(module, frozenset()):
        top = one.target.split(".")[0]
        if (top in WORLD or one.target in WORLD) and not typing_only(module, one.node):
            found.append(module.at(one.node, f"imports `{one.target}`"))
        if isinstance(one.node, ast.ImportFrom) and top in {"os", "sys"}:
            names = {alias.name for alias in one.node.names} - PURE.get(one.target, set())
            found += [module.at(one.node, f"imports `{top}.{name}`") for name in sorted(names)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            base = dotted(node.value)
            if base == "os" and node.attr.isupper():
                continue  # a constant
            impure = (
                base in PURE and node.attr not in PURE[base] and f"{base}.{node.attr}" not in PURE
            )
            if impure or (node.attr in CLOCKS and base.split(".")[-1] in {"datetime", "date"}):
                found.append(module.at(node, f"uses `{base}.{node.attr}`"))
        elif isinstance(node, ast.Call) and dotted(node.func) in {"open", "input", "io.open"}:
            found.append(module.at(node, f"calls `{dotted(node.func)}`"))
    return sorted(set(found))


def written(module: Module) -> list[str]:
    """Return where a module writes to the file system by itself."""
    found = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        base, _, name = dotted(node.func).rpartition(".")
        if name in WRITERS.get(base, set()):
            found.append(module.at(node, f"calls `{base}.{name}`"))
        elif dotted(node.func) in {"open", "io.open"} and writing(node):
            found.append(module.at(node, "opens a file for writing"))
    return found


def writing(call: ast.Call) -> bool:
    """Say whether a call of `open` has a mode that writes, or one that is computed."""
    modes = call.args[1:2] + [word.value for word in call.keywords if word.arg == "mode"]
    return any(
        not isinstance(mode, ast.Constant) or bool(set(str(mode.value)) & set("wax+"))
        for mode in modes
    )


def typing_only(module: Module, node: ast.stmt) -> bool:
    """Say whether a statement stands in an `if TYPE_CHECKING:` block."""
    return any(
        isinstance(block, ast.If)
        and dotted(block.test).endswith("TYPE_CHECKING")
        and node in ast.walk(block)
        for block in module.tree.body
    )


def entry(name: str, table: dict[str, str] = TOUCHES) -> str | None:
    """Return the line of a written list that covers a module: its own, or that of its package."""
    return next((known for known in table if f"{name}.".startswith(f"{known}.")), None)


def test_only_the_listed_modules_touch_the_world() -> None:
    found = [line for module in modules() if not entry(module.name) for line in touched(module)]
    assert not found, report(found)


def test_parsers_plans_and_signatures_touch_nothing() -> None:
    pure = [
        module
        for module in modules()
        if f"{module.name}.".startswith(tuple(f"{name}." for name in NEVER))
    ]
    found = [line for module in pure for line in touched(module)]
    assert not found, report(found)


def test_the_list_names_no_module_that_touches_nothing() -> None:
    used = {entry(module.name) for module in modules() if touched(module)}
    assert not set(TOUCHES) - used


def test_only_the_disk_writes() -> None:
    found = [
        line for module in modules() if not entry(module.name, WRITES) for line in written(module)
    ]
    assert not found, report(found)


def test_the_law_bites() -> None:
    for text in (
        "import subprocess",
        "def f():\n    import time",
        "from urllib.request import urlopen",
        "from os import environ",
        "os.environ['HOME']",
        "os.path.exists(x)",
        "sys.argv",
        "datetime.now()",
        "datetime.date.today()",
        "open('x')",
        "from pathlib import Path",
    ):
        assert touched(parse(text)), text
    for text in (
        "import os",
        "os.path.join(a, b)",
        "os.fspath(a)",
        "from datetime import datetime",
        "urllib.parse.quote(x)",
        "if TYPE_CHECKING:\n    from pathlib import Path",
        "sys.maxsize",
    ):
        assert not touched(parse(text)), text


def test_the_law_of_writing_bites() -> None:
    for text in (
        "os.rename(a, b)",
        "shutil.rmtree(a)",
        "open(a, 'wb')",
        "open(a, mode='r+')",
        "open(a, mode)",
        "tempfile.mkdtemp()",
    ):
        assert written(parse(text)), text
    for text in ("open(a)", "open(a, 'rb')", "archive.open(a, size)", "os.listdir(a)"):
        assert not written(parse(text)), text
