from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import CheckFailed, RunFailed, UsageError
from crpack.model import limits, recipe_document
from crpack.model.parameters import Parameter
from crpack.model.recipe import Action
from crpack.work import action as actions
from crpack.work.action import Roots
from tests.unit.model.written_recipes import WHOLE, document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUN = Action(
    name="run",
    argv=("{python}", "{self}/main.py", "{input}", "{output}"),
    inputs=(Parameter("path", name="image", required=True, help="an image"),),
    params=(
        Parameter("float", name="threshold", default="0.3", range=("0.0", "1.0")),
        Parameter("int", name="most", default="100"),
        Parameter("array", name="classes"),
        Parameter("string", name="label"),
    ),
    outputs=(
        Parameter("array", name="found", required=True),
        Parameter("path", name="picture"),
        Parameter("float", name="map"),
    ),
)
ROOTS = Roots(
    own="/store/own",
    deps=(("lab/model", "/store/model"), ("data", "/store/data")),
    python="/envs/e/bin/python",
    run="/runs/1",
)


@pytest.fixture
def here(tmp_path: Path) -> str:
    (tmp_path / "a.png").write_text("x")
    (tmp_path / "folder").mkdir()
    return str(tmp_path)


def settled(
    here: str, document: Mapping[str, object] | None = None, **settings: str
) -> dict[str, object]:
    return actions.settle(RUN, document or {}, settings, here)


def refusal(here: str, document: Mapping[str, object] | None = None, **settings: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        settled(here, document, **settings)
    return caught.value


def test_an_action_is_found_by_its_name() -> None:
    """ACT-01."""
    recipe = recipe_document.open_json(document(WHOLE))
    assert actions.find(recipe, "run").name == "run"
    with pytest.raises(UsageError) as caught:
        actions.find(recipe, "validat")
    assert caught.value.what == "`lab/sample` has no action `validat`"
    assert caught.value.hint == "did you mean `validate`?"


def test_the_input_is_one_object_completed_by_defaults(here: str) -> None:
    """ACT-02: what has neither value nor default is left out."""
    values = settled(here, {"image": "a.png", "label": "x"})
    assert values == {"image": f"{here}/a.png", "threshold": 0.3, "most": 100, "label": "x"}
    assert json.loads(json.dumps(values)) == values


def test_a_value_from_the_command_line_wins(here: str) -> None:
    """ACT-02, PRM-02."""
    values = settled(
        here, {"image": "no.png", "most": 1}, image="a.png", most="7", classes="[1, 2]", label="1"
    )
    assert values["image"] == f"{here}/a.png"
    assert (values["most"], values["classes"], values["label"]) == (7, [1, 2], "1")


@pytest.mark.parametrize("path", ["a.png", "./a.png", "folder/../a.png", "{here}/a.png", "folder"])
def test_paths_are_absolute(path: str, here: str) -> None:
    """ACT-02."""
    value = settled(here, image=path.replace("{here}", here))["image"]
    assert isinstance(value, str)
    assert os.path.isabs(value)
    assert ".." not in value
    assert os.path.exists(value)


def test_a_tilde_means_the_users_home(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACT-02: also behind `image=`, where no shell replaces it."""
    monkeypatch.setenv("HOME", here)
    assert settled("/", image="~/a.png")["image"] == f"{here}/a.png"


def test_a_missing_input_is_asked_for(here: str) -> None:
    """ACT-03."""
    error = refusal(here)
    assert error.what == "the action `run` needs the input `image`"
    assert error.why == ("an image",)
    assert error.hint == "give it with `--set image=VALUE`"
    assert error.rule == "ACT-03"


@pytest.mark.parametrize("path", ["no.png", "", "~nobody-of-this-name/x", "a.png/x", "/no/where"])
def test_a_path_that_does_not_exist_is_refused(path: str, here: str) -> None:
    """ACT-03: an empty text is no path, and does not mean the folder one is in."""
    assert refusal(here, image=path).rule == "ACT-03"
    assert refusal(here, {"image": path}).rule == "ACT-03"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"imag": "a.png"}, "the action `run` has no input `imag`"),
        ({"image": 1}, "`1` is no value for `image`"),
        ({"image": None}, "`null` is no value for `image`"),
        ({"image": "a.png", "most": 1.5}, "`1.5` is no value for `most`"),
        ({"image": "a.png", "most": True}, "`true` is no value for `most`"),
        ({"image": "a.png", "threshold": 2}, "`2` is no value for `threshold`"),
        ({"image": "a.png", "threshold": float("nan")}, "`NaN` is no value for `threshold`"),
        ({"image": "a.png", "classes": [float("inf")]}, "`[Infinity]` is no value for `classes`"),
        ({"image": "a.png", "label": "\ud800"}, "`\ud800` is no value for `label`"),
        ({"image": "a.png\0"}, "`a.png\0` is no value for `image`"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(
    document: Mapping[str, object], what: str, here: str
) -> None:
    """ACT-02, PRM-04."""
    with pytest.raises(UsageError) as caught:
        actions.settle(RUN, document, {}, here)
    assert caught.value.what == what


def test_an_unknown_setting_has_the_nearest_one_as_hint(here: str) -> None:
    """ACT-02."""
    assert refusal(here, image="a.png", treshold="1").hint == "did you mean `threshold`?"


def rendered(*argv: str, roots: Roots = ROOTS) -> tuple[str, ...]:
    values: dict[str, object] = {"threshold": 0.5, "fast": True, "classes": [1, "a b"], "label": ""}
    return actions.render(argv, roots, values, {"images": "50"})


def test_placeholders_become_absolute_paths_and_values() -> None:
    """ACT-01, ACT-04."""
    assert rendered(
        "{python}", "{self}/main.py", "{input}", "{output}", "{run}", "{dep.lab/model}/w",
        "{dep.data}", "{option.images}", "--t={param.threshold}", "{param.fast}", "{param.classes}",
        "{param.label}", "{{self}}", "{x y}",
    ) == (
        "/envs/e/bin/python", "/store/own/main.py", "/runs/1/input.json", "/runs/1/output.json",
        "/runs/1", "/store/model/w", "/store/data", "50", "--t=0.5", "true", '[1, "a b"]', "",
        "{self}", "{x y}",
    )  # fmt: skip


def test_a_value_is_never_a_placeholder_itself() -> None:
    """RCP-02: what the user gives stays one argument, as it is."""
    values: dict[str, object] = {"label": "{self}; rm -rf $HOME"}
    assert actions.render(("{param.label}",), ROOTS, values, {}) == ("{self}; rm -rf $HOME",)


@pytest.mark.parametrize(
    "word", ["{python}", "{dep.other}", "{param.no}", "{option.no}", "{tool.cc}", "{source}"]
)
def test_what_this_generation_does_not_have_cannot_be_asked_for(word: str) -> None:
    """ACT-04."""
    with pytest.raises(RunFailed) as caught:
        rendered(word, roots=replace(ROOTS, python=""))
    assert caught.value.exit_code == 125
    assert word in caught.value.why[0]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "pictures").mkdir(parents=True)
    (folder / "a.png").write_text("x")
    (tmp_path / "outside.png").write_text("x")
    return folder


def answer(run: Path, **outputs: object) -> dict[str, object]:
    return actions.answer(RUN, json.dumps({"found": [], **outputs}).encode(), str(run))


def failure(data: bytes, run: Path) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        actions.answer(RUN, data, str(run))
    assert caught.value.exit_code == 7
    return caught.value


def test_the_declared_outputs_are_taken_and_no_others(run: Path) -> None:
    """ACT-04, ACT-05."""
    assert answer(run, map=0.5, extra=1) == {"found": [], "map": 0.5}
    assert answer(run, map=1) == {"found": [], "map": 1}


def test_an_output_that_is_a_path_is_absolute(run: Path) -> None:
    """ACT-05."""
    for path in ("a.png", "./a.png", str(run / "a.png"), "pictures/../a.png"):
        assert answer(run, picture=path)["picture"] == str(run / "a.png")
    assert answer(run, picture="pictures")["picture"] == str(run / "pictures")


def test_a_run_folder_behind_a_link_is_the_same_folder(run: Path, tmp_path: Path) -> None:
    """ACT-05."""
    (tmp_path / "link").symlink_to(run)
    assert answer(tmp_path / "link", picture="a.png")["picture"] == str(run / "a.png")


@pytest.mark.parametrize(
    "path",
    ["no.png", "", ".", "..", "../outside.png", "/etc/passwd", "pictures/../..", "a.png/x",
     "{run}/../outside.png", "{run}-other", "away", "x" * 5000, "loop"],
)  # fmt: skip
def test_an_output_must_exist_inside_of_the_run_folder(path: str, run: Path) -> None:
    """ACT-05: also behind links."""
    (run / "away").symlink_to("../outside.png")
    (run / "loop").symlink_to("loop")
    run.with_name("run-other").mkdir()
    text = path.replace("{run}", str(run))
    error = failure(json.dumps({"found": [], "picture": text}).encode(), run)
    assert error.what == "the output `picture` names no file of the run folder"
    assert error.rule == "ACT-05"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the action `run` did not answer JSON"),
        (b"{", "the action `run` did not answer JSON"),
        (b"\xff", "the action `run` did not answer JSON"),
        (b"[" * 100_000, "the action `run` did not answer JSON"),
        (b'{"found":' + b"1" * 5000 + b"}", "the action `run` did not answer JSON"),
        (b"[]", "the action `run` did not answer a JSON object"),
        (b"null", "the action `run` did not answer a JSON object"),
        (b"{}", "the action `run` did not answer `found`"),
        (b'{"found":{}}', "the output `found` of the action `run` does not fit"),
        (b'{"found":null}', "the output `found` of the action `run` does not fit"),
        (b'{"found":[],"map":"0.5"}', "the output `map` of the action `run` does not fit"),
        (b'{"found":[],"map":true}', "the output `map` of the action `run` does not fit"),
        (b'{"found":[],"map":NaN}', "the output `map` of the action `run` does not fit"),
        (b'{"found":[],"map":1e999}', "the output `map` of the action `run` does not fit"),
        (b'{"found":[[Infinity]]}', "the output `found` of the action `run` does not fit"),
        (b'{"found":["\\ud800"]}', "the output `found` of the action `run` does not fit"),
        (b'{"found":[],"picture":"a\\u0000b"}', ("the output `picture` of the action `run` does "
         "not fit")),
        (b'{"found":[],"picture":"\\ud800"}', ("the output `picture` of the action `run` does not "
         "fit")),
        (b'{"found":[],"picture":["a.png"]}', ("the output `picture` of the action `run` does not "
         "fit")),
    ],
)  # fmt: skip
def test_an_answer_is_judged_as_hostile(data: bytes, what: str, run: Path) -> None:
    """ACT-05."""
    assert failure(data, run).what == what


def test_an_answer_without_end_is_refused(run: Path) -> None:
    """ACT-05."""
    error = failure(b" " * (limits.MAX_OUTPUT_BYTES + 1), run)
    assert error.what == f"the action `run` answered more than {limits.MAX_OUTPUT_BYTES} bytes"
