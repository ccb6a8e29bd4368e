"""What the tests of the flagship share: compiled programs and a few generated images."""

from __future__ import annotations

import importlib
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.tools.flagship import (
    MODEL,
    Native,
    compile_generator,
    compile_native,
    generate,
    has_codecs,
    once,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Seeds that belong neither to the training nor to the validation images.
UNSEEN = 30_000_000


@pytest.fixture(scope="session")
def cxx() -> str:
    found = shutil.which("g++") or shutil.which("clang++")
    if not found or not shutil.which("make"):
        pytest.skip("needs make and a C++ compiler: g++ or clang++")
    return found


@pytest.fixture(scope="session")
def generator(cxx: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_generator(cxx, tmp_path_factory.mktemp("generator") / "shapes", "-O1")


@pytest.fixture(scope="session")
def native(cxx: str, tmp_path_factory: pytest.TempPathFactory) -> Native:
    made = once(tmp_path_factory, "native", lambda at: compile_native(cxx, at, "-O2"))
    return Native(made)


@pytest.fixture(scope="session")
def codecs(cxx: str) -> str:
    """What the option `codecs` of ssd-native can be here."""
    return "all" if has_codecs(cxx) else "none"


@pytest.fixture(scope="session")
def sanitized(cxx: str, codecs: str, tmp_path_factory: pytest.TempPathFactory) -> Native:
    """The program that stops at the first access or operation without defined behaviour."""
    flags = "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
    variables = f"CODECS={codecs}", "RUNTIME="  # the sanitizers know the shared library
    return Native(
        once(tmp_path_factory, "sanitized", lambda at: compile_native(cxx, at, flags, *variables))
    )


@pytest.fixture(scope="session")
def dataset(generator: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(generator, tmp_path_factory.mktemp("dataset"), 150, UNSEEN)


@pytest.fixture
def model_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a module of the model component by name, and leave nothing beside it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(MODEL))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name in {"ssd_shapes", "export_onnx", "describe", "raw"}:
            del sys.modules[name]


@pytest.fixture
def ssd_shapes(model_module: Callable[[str], Any]) -> Any:
    return model_module("ssd_shapes")
