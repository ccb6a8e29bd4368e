"""The verb `shell`.

Rules: what is printed can be given to `eval` of the named shell, whatever is in it: each value
is one quoted word, and what is no printable letter stands as its bytes in figures. A shell that is
started answers nothing: it is the answer.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from crpack.cli.sessions import session_of
from crpack.errors import UsageError
from crpack.ops import shells

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.ops.shells import Variable

SHELLS = ("bash", "zsh", "fish")
_EXAMPLES = """\
crpack shell demo                                     leave it with `exit`
crpack shell demo -- python -m demo                   one command
eval "$(crpack shell demo --print)"                   in the running shell
crpack shell demo --print --shell fish | source       likewise in fish"""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `shell` and return its handler."""
    return {"shell": _configure}[verb](parser)


def _configure(parser: VerbParser) -> Callable[[Call], int]:
    add = parser.add_argument
    add("name", metavar="NAME", help="an installed solution; a command may follow after --")
    add("--print", action="store_true", dest="print_",
        help="print the variables for `eval`; start nothing")  # fmt: skip
    add("--shell", choices=SHELLS, help="whose words to print (default: those of $SHELL)")
    parser.epilog = _EXAMPLES
    return _shell


def _shell(call: Call) -> int:
    session, command = session_of(call), tuple(call.args.command)
    if call.args.print_:
        if command:
            raise UsageError("`--print` starts no command", hint="leave one of them out")
        found = shells.variables(session, call.args.name)
        own = os.path.basename(os.environ.get("SHELL", ""))
        text = exported(found, call.args.shell or (own if own in SHELLS else SHELLS[0]))
        call.console.answer(found, text)
        return 0
    if call.console.as_json:
        raise UsageError("a shell answers nothing", hint="`--print` tells its variables")
    if not command:
        shells.variables(session, call.args.name)  # before it is announced
        call.console.say(f"the environment of {call.args.name}; leave it with `exit`")
    return shells.start(session, call.args.name, command)


def exported(variables: tuple[Variable, ...], shell: str) -> str:
    """Return the lines that set variables in a shell."""
    tell = _fish if shell == "fish" else _posix
    return "\n".join(tell(one) for one in variables if _NAME.fullmatch(one.name))


def _posix(one: Variable) -> str:
    if one.value.isprintable():
        return f"export {one.name}={shlex.quote(one.value)}"
    return f"export {one.name}=$'{_figures(one.value, '{:03o}')}'"  # so do bash, zsh and ksh


def _fish(one: Variable) -> str:
    """Return a line of fish, where a quote and a backslash alone mean something in quotes."""
    values = one.value.split(os.pathsep) if one.name == "PATH" else [one.value]
    return f"set -gx {one.name} {' '.join(map(_fish_word, values))}"


def _fish_word(value: str) -> str:
    if value.isprintable():
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return _figures(value, "X{:02x}")


def _figures(value: str, form: str) -> str:
    """Return a text whose bytes are escaped but for letters, digits and what paths consist of."""
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or byte in b"/._-")
        else f"\\{form.format(byte)}"
        for byte in os.fsencode(value)
    )  # fmt: skip
