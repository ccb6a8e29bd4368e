"""What `crpack new` writes: a component that builds as it is.

Rules: one small working example a kind; every file is text that its author will edit.
"""

from __future__ import annotations

from crpack import __version__

_PACKAGE = """\
[package]
name = "{name}"
version = "0.1.0"
kind = "{kind}"
summary = "Say in one line what {name} is"
license = "Apache-2.0"
needs-crpack = ">={crpack}"
"""

_TAILS = {
    "program": """
[[source]]
kind = "local"
path = "src"

[build]
driver = "make"

[outputs]
exe = ["bin/{word}"]

[exports]
bin = ["bin"]

[test]
steps = [["{{self}}/bin/{word}"]]
expect = "hello"
""",
    "solution": """
# What it needs: components by name and range, and Python distributions.
# [requires]
# some-model = ">=1"
[python]
requires = []

[[source]]
kind = "local"
path = "src"

[build]
driver = "copy"

[outputs]
script = ["main.py"]

[action.run]
help = "Greet somebody"
argv = ["{{python}}", "{{self}}/main.py", "{{input}}", "{{output}}"]

[action.run.params.who]
type = "string"
default = "world"
help = "who is greeted"

[action.run.outputs.greeting]
type = "string"
required = true
""",
    "data": """
[[source]]
kind = "local"
path = "data"

[build]
driver = "copy"

[outputs]
{role} = ["*"]
""",
}

_MAKEFILE = """\
CXXFLAGS ?= -O2

{word}: hello.cpp
	$(CXX) $(CXXFLAGS) -o $@ hello.cpp

install: {word}
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	cp {word} $(DESTDIR)$(PREFIX)/bin/
"""

_HELLO = """\
#include <cstdio>

int main() { std::puts("hello from {name}"); }
"""

_MAIN = '''\
"""Reads its inputs from one JSON file and writes its outputs to another."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as stream:
    given = json.load(stream)
with open(sys.argv[2], "w", encoding="utf-8") as stream:
    json.dump({"greeting": f"hello, {given['who']}"}, stream)
'''


def files(name: str, kind: str) -> tuple[tuple[str, str], ...]:
    """Return path and text of every file of a new component."""
    word = name.rpartition("/")[2]
    head = _PACKAGE.format(name=name, kind=kind, crpack=__version__)
    if kind in ("program", "software"):
        tail = _TAILS["program"].format(word=word)
        return (
            ("crpack.toml", head + tail),
            ("src/Makefile", _MAKEFILE.format(word=word)),
            ("src/hello.cpp", _HELLO.replace("{name}", name)),
        )
    if kind == "solution":
        return (("crpack.toml", head + _TAILS["solution"].format()), ("src/main.py", _MAIN))
    role = "model" if kind == "model" else "dataset"
    toml = head + _TAILS["data"].format(role=role)
    return (("crpack.toml", toml), ("data/README.txt", f"Put the files of {name} here.\n"))
