from __future__ import annotations

import getpass
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from crpack.model.parameters import Parameter
from crpack.model.privacy import MARK
from crpack.model.recipe import Action
from crpack.ops import describing
from crpack.ops.validating import Compared, Judged
from crpack.work.judge import Verdict
from crpack.work.measures import Repeat

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GOOD = Verdict("map", "1", "higher", 0.9, 0.9, 0.01, passed=True)
BAD = Verdict("map", "1", "higher", None, 0.9, 0.01, passed=False)
ONE = Repeat((1,))


def words(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setattr(socket, "gethostname", lambda: "Berta-Laptop.lab.example")
    monkeypatch.setattr(getpass, "getuser", lambda: "berta")
    monkeypatch.setenv("HOME", "/home/bmuller")
    session: Any = SimpleNamespace(prefix="/srv/crpack")
    return describing.names(session)


def test_names_of_the_machine_and_its_user_are_planted_and_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """RES-05: in params, reasons, notes and settings; a file is its digest, a folder nothing."""
    planted = words(monkeypatch)
    assert {"berta", "Berta-Laptop", "/home/bmuller", "bmuller", "/srv/crpack"} <= set(planted)
    text = "berta on BERTA-LAPTOP wrote /home/bmuller/x for bmuller"
    action = Action(
        ("x",),
        params=(Parameter("string", name="note"), Parameter("int", name="threads")),
        inputs=(Parameter("path", name="image"), Parameter("path", name="images")),
    )
    (tmp_path / "a.png").write_bytes(b"a")
    values = {"note": text, "threads": 2, "image": f"{tmp_path}/a.png", "images": str(tmp_path)}
    found = dict(describing.params(action, values, planted))
    assert found["threads"] == "2"
    assert found["image"].startswith("sha256:")
    assert found["images"] == MARK
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "berta")
    monkeypatch.setenv("SECRET", "x")
    assert dict(describing.settings(planted)) == {
        "CUDA_VISIBLE_DEVICES": MARK, "OMP_NUM_THREADS": "2"
    }  # fmt: skip
    judged = Judged(verdicts=(GOOD,), faults=(text,))
    validity = describing.validity(judged, [Repeat((1,), told=(text,))], [text], planted)
    said = " ".join((found["note"], *validity.reasons, *validity.notes)).lower()
    for word in ("berta", "bmuller", "laptop"):
        assert word not in said
    assert said.count(MARK) == 4 * 3


def test_words_that_name_no_one_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """RES-05: `root` and `localhost` are everybody's."""
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    monkeypatch.setenv("HOME", "/root")
    session: Any = SimpleNamespace(prefix="/root/data")
    assert describing.names(session) == ("/root/data",)
    monkeypatch.setattr(getpass, "getuser", lambda: (_ for _ in ()).throw(KeyError("uid")))
    assert describing.names(session) == ("/root/data",)


def test_a_result_counts_when_something_was_checked_and_all_passed() -> None:
    """RES-06, BEN-06."""
    golden = (Compared("golden run 1", True, ()),)
    good = describing.validity(Judged((GOOD,), golden), [ONE], ["busy"], ())
    assert (good.valid, good.reasons, good.notes) == (True, (), ("busy",))
    assert [(one.name, one.value, one.passed) for one in good.checks] == [
        ("map", "0.9", True), ("golden-1", "1", True)
    ]  # fmt: skip
    assert describing.validity(Judged((), golden), [ONE], (), ()).valid
    (reason,) = describing.validity(Judged(), [ONE], (), ()).reasons
    assert "nothing was validated" in reason
    bad = describing.validity(Judged((BAD,), (), ("map = missing",)), [ONE], (), ())
    assert (bad.valid, bad.reasons, bad.checks[0].value) == (False, ("map = missing",), "")


def test_what_the_harness_calls_invalid_is_invalid() -> None:
    """BEN-06: with its own words, each once; a word of a valid run is a note."""
    short = Repeat((1,), harness="loadgen 6.0", valid=False, reason="min queries not met")
    found = describing.validity(Judged((GOOD,)), [short, short, ONE], (), ())
    assert not found.valid
    assert found.reasons == ("loadgen 6.0 calls its run invalid: min queries not met",)
    told = Repeat((1,), reason="early stopping", told=("engine: x 1.0",))
    assert describing.validity(Judged((GOOD,)), [told], (), ()).notes == (
        "engine: x 1.0", "early stopping"
    )  # fmt: skip


def test_a_quality_has_a_name_of_its_own_and_a_number_that_can_be() -> None:
    """RES-04."""
    huge = Verdict("sum", "1", "higher", 1e300, 0.0, 0.0, passed=True)
    taken = Verdict("latency", "a\nb", "lower", 2.0, 0.0, 0.0, passed=False)
    found = describing.quality([GOOD, BAD, huge, taken], frozenset(["latency"]))
    assert [(one.name, one.value, one.unit) for one in found] == [
        ("map", "0.9", "1"), ("quality.latency", "2", "a b")
    ]  # fmt: skip
