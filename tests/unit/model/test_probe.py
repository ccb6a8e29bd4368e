"""The probe's keys, by kind (PRB-01 to PRB-11)."""

from __future__ import annotations

import pytest

from crpack.model import recipe_document
from crpack.model.probe import Marker
from tests.unit.model.written_recipes import HEAD, document, messages

VERSION = "version = '(?P<version>x)'\n"


def probe(text: str) -> str:
    return f"{HEAD}[[probe]]\n{text}\n"


@pytest.mark.parametrize(
    "text",
    [
        f'kind = "exec"\nnames = ["a", "a-*"]\n{VERSION}args = ["-v"]\nprefix = ["--prefix"]',
        'kind = "file"\npaths = ["/opt/a/*/version"]',
        f'kind = "file"\npaths = ["version.json"]\nroots = ["{{env.A}}", "/opt/a*"]\n{VERSION}',
        'kind = "header-macro"\npaths = ["a.h"]\nmacros = ["A_MAJOR", "A_MINOR"]\nprovides = "dev"',
        'kind = "pkg-config"\npackage = "a"',
        f'kind = "elf"\nnames = ["liba.so.1", "liba.so.1.*"]\n{VERSION}provides = "runtime"',
        'kind = "dist-info"\npackage = "a"\nroots = ["{home}/site"]',
        'kind = "os-package"\ndpkg = "liba-dev"\nrpm = "a-devel"\nbrew = "a"',
        'kind = "os-package"\nconda = "a"\nspack = "a"\napk = "a-dev"',
        'kind = "env"\nenv = "A_HOME"\npaths = ["source.properties"]',
        f'kind = "digest"\nroots = ["{{data}}"]\nsize = 5\nsha256 = "{"0" * 64}"',
        'kind = "digest"\nroots = ["{data}/*"]\nmarkers = ["a", { path = "b", size = 5 }]',
    ],
)
def test_each_kind_has_its_keys(text: str) -> None:
    """PRB-02, PRB-03, PRB-04, PRB-05, PRB-06, PRB-07, PRB-08, PRB-09, PRB-10."""
    (one,) = recipe_document.open_json(document(probe(text))).probe
    assert one.kind in text


def test_markers_are_names_or_tables() -> None:
    """PRB-10."""
    text = 'kind = "digest"\nroots = ["{data}"]\nmarkers = ["a", { path = "b", size = 5 }]'
    (one,) = recipe_document.open_json(document(probe(text))).probe
    assert one.markers == (Marker("a"), Marker("b", 5))


def test_package_names_come_in_a_fixed_order() -> None:
    """PRB-08."""
    (one,) = recipe_document.open_json(
        document(probe('kind = "os-package"\nspack = "s"\ndpkg = "d"'))
    ).probe
    assert one.packages() == (("dpkg", "d"), ("spack", "s"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "exec"\nnames = ["a"]',
         "probe[0].version is missing; a probe of kind `exec` needs it"),
        (f'kind = "exec"\nnames = ["a"]\n{VERSION}paths = ["b"]',
         "probe[0].paths means nothing for a probe of kind `exec`"),
        ('kind = "pkg-config"\npackage = "a"\nargs = ["b"]',
         "probe[0].args means nothing for a probe of kind `pkg-config`"),
        ('kind = "elf"\nnames = ["a"]\nexit-codes = [1]',
         "probe[0].exit-codes means nothing for a probe of kind `elf`"),
        ('kind = "elf"\nnames = ["a"]\nversion = "x"', "probe[0].version has no group `version`"),
        ('kind = "file"\npaths = ["a"]', "probe[0].roots is missing; a relative path needs it"),
        ('kind = "file"\npaths = ["/a"]\nroots = ["/b"]', "probe[0].paths `/a` must be relative"),
        ('kind = "file"\npaths = ["a/../b"]\nroots = ["/b"]', "probe[0].paths must not hold `..`"),
        ('kind = "file"\npaths = ["a"]\nroots = ["{prefix}/../b"]',
         "probe[0].roots must not hold `..`"),
        ('kind = "header-macro"\npaths = ["/usr/include/a.h"]\nmacros = ["A"]',
         "probe[0].paths `/usr/include/a.h` must be relative"),
        ('kind = "os-package"', ("probe[0] of kind `os-package` needs one of `dpkg`, `rpm`, `apk`, "
         "`brew`, `conda`, `spack`")),
        ('kind = "digest"\nroots = ["/a"]\nsize = 5',
         "probe[0] of kind `digest` needs `size` and `sha256`, or `markers`"),
        (f'kind = "digest"\nroots = ["/a"]\nsize = 5\nsha256 = "{"0" * 64}"\nmarkers = ["b"]',
         "probe[0] of kind `digest` needs `size` and `sha256`, or `markers`"),
        ('kind = "digest"\nroots = ["/a"]\nmarkers = ["b/../../c"]',
         "probe[0].markers must not hold `..`"),
    ],
)  # fmt: skip
def test_a_key_of_another_kind_or_a_missing_one_is_a_fault(text: str, message: str) -> None:
    """PRB-01."""
    assert messages(probe(text)) == [message]


@pytest.mark.parametrize("root", ["relative", "{elsewhere}/a", "{env.A-B}", "~/a"])
def test_a_root_is_absolute_or_begins_with_a_known_word(root: str) -> None:
    """PRB-11."""
    text = f'kind = "file"\npaths = ["a"]\nroots = ["{root}"]'
    (fault,) = messages(probe(text))
    assert fault.startswith(f"probe[0].roots[0] `{root}` does not have the form")
