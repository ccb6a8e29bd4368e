"""The verbs: their modules, the help screen, and which word of a command line is the verb.

Rules: constants only; this module imports nothing, so that `--help` costs nothing.
A new verb is one line here and one function in the module that the line names.
"""

from __future__ import annotations

# verb -> (module, row of the help screen, what it does)
VERBS = {
    "install": ("install", "Use", "install a solution by name, or from an archive or bundle"),
    "update": ("device", "Use", "replace installed solutions by newer ones, or roll back"),
    "remove": ("device", "Use", "remove an installed solution"),
    "run": ("work", "Use", "run an action of an installed solution"),
    "benchmark": ("benchmark", "Use", "measure how fast a solution is, and whether it is right"),
    "validate": ("work", "Use", "check an installation and the accuracy of its results"),
    "search": ("names", "Look", "look for names in the indexes"),
    "info": ("inspect", "Look", "show what an archive, an installed solution or a name holds"),
    "list": ("inventory", "Look", "list what is installed"),
    "why": ("why", "Look", "tell every candidate of a name, and the first thing that it failed"),
    "detect": ("detect", "Look", "show this machine's facts and the software it has"),
    "verify": ("inspect", "Look", "check archives or installed files byte for byte"),
    "doctor": ("doctor", "Look", "check crpack's surroundings, and say what to do"),
    "new": ("author", "Make", "start a component's folder"),
    "build": ("author", "Make", "make a signed archive from a component's folder"),
    "publish": ("host", "Make", "list archives in an index, here or behind ssh"),
    "lock": ("lock", "Make", "write down exact versions, to install the same again"),
    "bundle": ("bundle", "Make", "carry all that a solution needs in one file"),
    "key": ("keep", "Keep", "make and manage signing keys"),
    "trust": ("trust", "Keep", "say whose archives may be installed, and for which names"),
    "dashboard": ("dashboard", "Keep", "show results, official ones beside them, as a static page"),
    "index": ("host", "Keep", "make and keep an index of archives for others"),
    "cache": ("caching", "Keep", "show, prune or clear what was downloaded and remembered"),
    "shell": ("shell", "Keep", "start a shell, or a command, in a solution's environment"),
    "completion": ("completion", "Keep", "print what makes a shell complete crpack's words"),
}

# Words of other tools -> ours; the nearest in spelling is not always the one that is meant.
MEANT = {
    "check": "verify",
    "delete": "remove",
    "init": "new",
    "make": "build",
    "pack": "build",
    "show": "info",
    "test": "validate",
    "uninstall": "remove",
    "upgrade": "update",
    "version": "--version",
}

_HEAD = """\
Package an ML solution once; install it natively on any machine.

Usage: crpack [OPTIONS] VERB [ARGUMENTS]
"""
_TAIL = """\
Options, before or after the verb:
  --json             one JSON object on standard output
  -q, --quiet        errors only          -v, --verbose   say more
  --color WHEN       auto, always, never  --progress HOW  auto, off, json
  --offline          open no network connection
  --prefix DIR       folder of installations
  --index NAME       ask only this index for names
  --config FILE      settings from this file
  --sandbox HOW      how builds are confined: best, best-effort, none
  -h, --help         this text, or a verb's    -V, --version   the version

`crpack VERB --help` tells a verb's options; `crpack help` lists topics such as exit-codes."""
_WITH_VALUE = frozenset({"--color", "--progress", "--prefix", "--index", "--config", "--sandbox"})


def split_verb(argv: list[str]) -> tuple[str, list[str]]:
    """Return the verb and the other words; global options may come before it."""
    skip = False
    for index, word in enumerate(argv):
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        elif not word.startswith("-"):
            return word, argv[:index] + argv[index + 1 :]
    return "", argv


def help_screen() -> str:
    """Return the text of `crpack --help`: the verbs in rows by user."""
    lines = [_HEAD]
    row = ""
    for verb, (_, where, what) in VERBS.items():
        lines.append(f"  {where if where != row else '':<6}{verb:<11}{what}")
        row = where
    return "\n".join([*lines, "", _TAIL])
