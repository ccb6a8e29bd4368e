"""Recipes as people write them, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack.errors import Fault, ManifestError
from crpack.model import platforms, recipe_document
from crpack.model.recipe_document import Context

if TYPE_CHECKING:
    from crpack.model.recipe import Recipe

HEAD = """\
[package]
name = "lab/sample"
version = "1.2.0"
kind = "program"
summary = "A sample"
license = "Apache-2.0"
"""
LINUX = "linux-x86_64-gnu2.36"

# One of everything, so that a change anywhere in it meets some rule.
WHOLE = (
    HEAD
    + """\
revision = 3
upstream-version = "1.2"
authors = ["A. Author", "B. Author"]
homepage = "https://example.org"
paper = "https://example.org/paper"
needs-crpack = ">=0.1"

[options.images]
type = "enum"
values = [50, 5000]
default = 50
help = "how many"

[options.fast]
type = "bool"
default = true
scope = "run"

[options.scale]
type = "float"
default = 1
range = [0.5, 2]

[[constraint]]
match = { fast = false }
only = { scale = [0.5, 1] }

[requires]
zlib = ">=1.2"
lab-data = { version = ">=1,<2", options = { images = "{option.images}" }, external = "forbid" }
extra = { optional = true }
[requires.build]
gcc = ">=10"
[requires.target]
zlib = { version = ">=1.2.13", external = "prefer" }

[provides]
sample-api = "1.2"
samples = ""
[conflicts]
other-sample = "<2"
[replaces]
old-sample = ""

[python]
requires = ["numpy>=2"]
python = ">=3.11"

[[source]]
kind = "local"
path = "src"
[[source]]
kind = "inline"
path = "notes.txt"
text = "hello"
[[source]]
kind = "url"
urls = ["https://example.org/x.tar.gz"]
size = 10
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
strip = 1
into = "x"

[build]
driver = "make"
subdir = "x"
[build.make]
vars = { CXXFLAGS = "-O3 {target.cpu_flags}", N = 4 }
targets = ["all"]

[outputs]
exe = ["bin/*"]
data = ["share/**"]

[exports]
bin = ["bin"]
env = { SAMPLE_HOME = "{prefix}/share" }

[[probe]]
kind = "exec"
names = ["sample"]
args = ["--version"]
version = '(?P<version>[0-9.]+)'

[test]
steps = [["{self}/bin/sample", "--self-test"]]
expect = "ok"
timeout = 5

[action.run]
help = "run it"
argv = ["{python}", "{self}/main.py", "{input}", "{output}"]
inputs.image = { type = "path", required = true, help = "an image" }
params.threshold = { type = "float", default = 0.3, range = [0.0, 1.0] }
outputs.found = { type = "array", required = true }
pre = [["true"]]
[action.validate]
argv = ["x"]
outputs.map = { type = "float" }

[metrics.map]
reference = 0.41
tolerance = 0.01

[[when]]
match = { os = "linux", arch = ["x86_64", "aarch64"] }
[when.build.make]
targets = ["linux"]
[[when]]
match = { option.images = "5000", libc = "gnu>=2.28" }
[when.requires]
big = ">=1"
[when.metrics.map]
reference = 0.5
"""
)


def document(text: str, *, version: str = "") -> bytes:
    """Return the document of a recipe's text."""
    return recipe_document.read(text, file="crpack.toml", version=version)


def faults(text: str) -> list[Fault]:
    """Return all faults of a text; there must be some."""
    with pytest.raises(ManifestError) as caught:
        document(text)
    return list(caught.value.faults)


def messages(text: str) -> list[str]:
    """Return path and message of each fault of a text."""
    return [f"{fault.path} {fault.message}" for fault in faults(text)]


def resolved(text: str, platform: str = LINUX, **options: str) -> Recipe:
    """Return the recipe of a text for a platform and some options."""
    context = Context(platforms.parse(platform), tuple(sorted(options.items())))
    return recipe_document.resolve(document(text), context)
