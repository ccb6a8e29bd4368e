"""Write the documents that are made from the code: schemas, and the reference pages.

`make docs` writes them; a test in `tests/house` fails when one is not fresh.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from crpack import config
from crpack.cli import parser as parsers
from crpack.cli import topics
from crpack.cli.verbs import VERBS
from crpack.model import tables

ROOT = Path(__file__).resolve().parents[2]
_MADE = "<!-- Made by `make docs`; do not edit. -->\n\n"


def documents() -> dict[str, str]:
    """Return path, from the root, and text of every generated document."""
    return {
        "spec/recipe.schema.json": _schema(),
        "docs/reference/command-line.md": _command_line(),
        "docs/reference/configuration.md": _configuration(),
        "docs/reference/errors.md": _errors(),
    }


def _schema() -> str:
    return json.dumps(tables.json_schema(), indent=2, ensure_ascii=False) + "\n"


def _command_line() -> str:
    parts = [_MADE, "# The command line\n"]
    for verb, (module, _, what) in VERBS.items():
        parser = parsers.for_verb(verb, what)
        importlib.import_module(f"crpack.cli.{module}").configure(verb, parser)
        parts.append(f"\n## crpack {verb}\n\n```\n{parser.format_help().rstrip()}\n```\n")
    return "".join(parts)


def _configuration() -> str:
    rows = [
        f"| `{s.key}` | `{s.variable}` | {s.wanted} | {s.default or '—'} | {s.meaning} |\n"
        for s in config.SETTINGS
    ]
    head = "| key in `config.toml` | variable | value | default | meaning |\n"
    head += "|---|---|---|---|---|\n"
    return _MADE + "# Configuration\n\n" + head + "".join(rows)


def _errors() -> str:
    rows = [
        f"| {cls.exit_code} | `{cls.code}` | {(cls.__doc__ or '').partition(chr(10))[0]} |\n"
        for cls in topics.classes()
    ]
    head = "| exit code | code | meaning |\n|---|---|---|\n"
    return _MADE + "# Errors\n\n" + head + "".join(rows)


if __name__ == "__main__":
    for path, text in documents().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
