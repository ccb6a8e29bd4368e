from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.errors import RunFailed
from crpack.work.executors.errand import Ended, Errand, Executor
from crpack.work.executors.local import Local

if TYPE_CHECKING:
    from pathlib import Path

BOTH = "import os, sys; os.write(1, b'out '); os.write(2, b'err'); sys.exit(3)"


def ran(
    place: Executor,
    argv: tuple[str, ...],
    folder: Path,
    env: dict[str, str] | None = None,
    timeout_s: float = 30.0,
) -> Ended:
    with place.visit(Errand("demo", "any", str(folder))) as stay:
        return stay.run(argv, env=env or {}, timeout_s=timeout_s)


def run(code: str, cwd: Path, timeout_s: float = 30.0) -> int:
    argv = (sys.executable, "-c", code)
    return ran(Local(), argv, cwd, {"A": "b"}, timeout_s).code


def test_both_streams_of_an_action_go_to_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLI-01: standard output holds the answer only."""
    with open(os.dup(2), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert run(BOTH, tmp_path) == 3
        monkeypatch.undo()
    assert capfd.readouterr() == ("", "out err")


def test_without_standard_error_an_action_is_heard_by_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLI-01: as with `crpack run demo 2>&-`."""
    monkeypatch.setattr(sys, "stderr", None)
    assert run(BOTH, tmp_path) == 3
    assert capfd.readouterr() == ("", "")


def test_who_listens_gets_the_last_lines_and_the_user_all_of_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLI-02: so that the failure in the JSON answer says why."""
    code = "import sys; print(*range(9), sep='\\n\\n'); print('x' * 900); sys.exit(3)"
    argv = (sys.executable, "-c", code)
    with open(os.dup(2), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        ended = ran(Local(listen=True), argv, tmp_path)
        monkeypatch.undo()
    assert (ended.code, ended.said) == (3, ("5", "6", "7", "8", "x" * 300))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("0\n\n1\n")
    assert len(err) > 900


def test_who_does_not_listen_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    argv = (sys.executable, "-c", BOTH)
    ended = ran(Local(), argv, tmp_path)
    assert (ended.code, ended.said) == (3, ())


def test_an_action_works_in_its_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACT-04."""
    monkeypatch.setattr(sys, "stderr", None)
    assert run("open('here', 'w').close()", tmp_path) == 0
    assert (tmp_path / "here").exists()


def test_an_action_sees_the_environment_that_it_was_given_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ACT-04."""
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setenv("SECRET", "x")
    assert run("import os, sys; sys.exit(os.environ.get('SECRET') == 'x')", tmp_path) == 0
    assert run("import os, sys; sys.exit(os.environ['A'] == 'b')", tmp_path) == 1


def test_an_action_that_does_not_end_in_time_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ACT-04."""
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(RunFailed, match="did not end within"):
        run("import time; time.sleep(60)", tmp_path, timeout_s=0.2)


def test_the_executor_has_a_name_in_records() -> None:
    """ACT-06."""
    assert Local().name == "local"
