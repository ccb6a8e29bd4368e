from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from crpack import __version__
from crpack.cli import dispatch, topics
from crpack.cli.main import main
from crpack.cli.verbs import MEANT, VERBS, help_screen, split_verb
from crpack.errors import CrpackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call

Streams = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(("CRPACK_", "XDG_", "CLICOLOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CRPACK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def verb(monkeypatch: pytest.MonkeyPatch, handler: Callable[[Call], int]) -> None:
    """Put a handler in the place of the verb `list`."""
    module = SimpleNamespace(configure=lambda _verb, _parser: handler)
    monkeypatch.setitem(sys.modules, "crpack.cli.inventory", module)


def seen(monkeypatch: pytest.MonkeyPatch, *words: str) -> Call:
    """Return the call that the verb `list` gets."""
    calls: list[Call] = []

    def handler(call: Call) -> int:
        calls.append(call)
        return 0

    verb(monkeypatch, handler)
    assert main(["list", *words]) == 0
    return calls[0]


def failed(capsys: Streams, *words: str) -> str:
    assert main(list(words)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_told(word: str, capsys: Streams) -> None:
    assert main([word]) == 0
    assert capsys.readouterr() == (f"crpack {__version__}\n", "")


@pytest.mark.parametrize("words", [["--json", "--version"], ["-V", "--json"]])
def test_the_version_is_told_in_json(words: list[str], capsys: Streams) -> None:
    """CLI-02."""
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"version": __version__}


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["-q", "--help"]])
def test_help_lists_the_verbs(words: list[str], capsys: Streams) -> None:
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured == (help_screen() + "\n", "")
    assert all(f"  {name}" in captured.out for name in VERBS)


@pytest.mark.parametrize("words", [["list", "--help"], ["list", "-h"], ["help", "list"],
                                   ["--offline", "list", "-v", "--help"]])  # fmt: skip
def test_help_of_a_verb_tells_its_options(words: list[str], capsys: Streams) -> None:
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("usage: crpack list")
    assert "--parts" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    "words", [["--help"], ["list", "--help"], ["help", "list"], ["help"], ["help", "exit-codes"]]
)
def test_help_in_json_holds_the_text(words: list[str], capsys: Streams) -> None:
    """CLI-02."""
    assert main(words) == 0
    text = capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert document["data"]["text"].rstrip() == text.rstrip()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["instal", "x"], "did you mean `crpack install`?"),
        (["ls"], "did you mean `crpack list`?"),
        (["uninstall", "x"], "did you mean `crpack remove`?"),
        (["version"], "did you mean `crpack --version`?"),
        (["zzzz"], "`crpack --help` lists the verbs"),
        (["é"], "`crpack --help` lists the verbs"),
        (["help", "instal"], "did you mean `install`?"),
        (["help", "trus"], "did you mean `trust`?"),
        (["help", "exit-code"], "did you mean `exit-codes`?"),
        (["--json=1", "lst"], "did you mean `crpack list`?"),
        (["-v"], "`crpack --help` lists the verbs"),
        (["--color", "list"], "`crpack --help` lists the verbs"),
    ],
)
def test_an_unknown_verb_or_topic_has_the_nearest_one_as_hint(
    words: list[str], hint: str, capsys: Streams
) -> None:
    """CLI-03."""
    assert failed(capsys, *words).endswith(f"hint: {hint}\n")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["list"], ("list", [])),
        (["--json", "list", "x"], ("list", ["--json", "x"])),
        (["--prefix", "list", "remove"], ("remove", ["--prefix", "list"])),
        (["--prefix=list", "remove"], ("remove", ["--prefix=list"])),
        (["-q", "--color", "never", "list", "-v"], ("list", ["-q", "--color", "never", "-v"])),
        (["--json"], ("", ["--json"])),
        ([], ("", [])),
    ],
)
def test_global_options_may_stand_before_the_verb(
    words: list[str], found: tuple[str, list[str]]
) -> None:
    assert split_verb(words) == found


def test_flags_win_over_the_environment_and_that_over_files(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CFG-01."""
    (own_home / "config").mkdir(parents=True)
    (own_home / "config/config.toml").write_text('prefix = "/file"\ncolor = "never"\nkeep = 2\n')
    monkeypatch.setenv("CRPACK_PREFIX", "/variable")
    monkeypatch.setenv("CRPACK_COLOR", "always")
    call = seen(monkeypatch, "--prefix", "flag")
    assert call.prefix == f"{tmp_path}/flag"
    assert call.settings.text("color") == "always"
    assert call.settings.number("keep") == 2
    origins = {key: where for key, _, where in call.settings.values}
    assert origins["prefix"] == "the command line"
    assert origins["color"] == "the variable `CRPACK_COLOR`"
    assert origins["keep"] == f"`{own_home}/config/config.toml`"
    assert origins["jobs"] == "default"


def test_a_named_file_of_settings_is_the_only_one(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CFG-01."""
    (own_home / "config").mkdir(parents=True)
    (own_home / "config/config.toml").write_text("keep = 2\njobs = 2\n")
    (tmp_path / "mine.toml").write_text("keep = 3\n")
    settings = seen(monkeypatch, "--config", "mine.toml").settings
    assert (settings.number("keep"), settings.number("jobs")) == (3, 0)


def test_an_empty_flag_is_no_value(capsys: Streams) -> None:
    """CFG-02: it would mean the usual folder, as if it had not been given."""
    assert "`--prefix` needs a value" in failed(capsys, "list", "--prefix", "")


def test_no_word_of_another_tool_is_a_verb_here() -> None:
    assert not set(MEANT) & set(VERBS)
    assert {word for word in MEANT.values() if not word.startswith("-")} <= set(VERBS)


def test_without_settings_the_prefix_is_the_data_folder(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CFG-03."""
    assert seen(monkeypatch).prefix == f"{own_home}/data"
    monkeypatch.setenv("CRPACK_HOME", "here")
    assert seen(monkeypatch).prefix == f"{own_home.parent}/here/data"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("offlin = true", "`offlin` is not a known setting"),
        ("jobs = 'many'", "`many` is no value for the setting `jobs`"),
        ("jobs = 1.5", "`1.5` is no value for the setting `jobs`"),
        ("prefix = 3", "`3` is no value for the setting `prefix`"),
        ("jobs = ", "`{f}` is not TOML"),
        ("jobs = 0x" + "f" * 6000, "`{f}` is not TOML"),
        ("jobs = " + "1" * 6000, "`{f}` is not TOML"),
        ("jobs = " + "[" * 6000, "`{f}` is not TOML"),
        ("\udcff", "`{f}` is not TOML"),
    ],
)
def test_wrong_settings_are_told_with_their_file(
    text: str, what: str, own_home: Path, capsys: Streams
) -> None:
    """CFG-02."""
    file = own_home / "config/config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    error = failed(capsys, "list").splitlines()[0]
    assert error == f"error: {what.replace('{f}', str(file))}"


@pytest.mark.parametrize(
    ("path", "why"), [("missing.toml", "No such file"), (".", "Is a directory")]
)
def test_a_named_file_of_settings_must_be_there(path: str, why: str, capsys: Streams) -> None:
    """CFG-02."""
    error = failed(capsys, "list", "--config", path)
    assert error.startswith(f"error: the settings file `{path}` cannot be read\n  cause: {why}")


@pytest.mark.parametrize("cls", [CrpackError, *CrpackError.__subclasses__()])
def test_a_failure_ends_with_the_exit_code_of_its_class(
    cls: type[CrpackError], monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    """CLI-03."""

    def handler(_: Call) -> int:
        raise cls("it failed")

    verb(monkeypatch, handler)
    assert main(["list"]) == cls.exit_code
    assert capsys.readouterr().err == "error: it failed\n"


@pytest.mark.parametrize("code", [0, 1, 42, 125])
def test_a_verb_may_end_with_any_code(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLI-03: `run` passes the code of the action's own program."""
    verb(monkeypatch, lambda _: code)
    assert main(["list"]) == code


def test_ctrl_c_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
    """CLI-03."""

    def handler(_: Call) -> int:
        raise KeyboardInterrupt

    verb(monkeypatch, handler)
    assert main(["list"]) == 130
    told = "error: interrupted; nothing was left half written\n"
    assert capsys.readouterr().err == told
    assert main(["list", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


@pytest.mark.parametrize("topic", [*topics.TOPICS, *VERBS])
def test_every_topic_and_every_verb_has_its_help(topic: str, capsys: Streams) -> None:
    """CLI-03: a topic that has a verb's name could never be read."""
    assert not set(topics.TOPICS) & set(VERBS)
    assert main(["help", topic]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: crpack {topic}") is (topic in VERBS)
    assert out == (out if topic in VERBS else topics.text(topic) + "\n")


def test_the_settings_are_shown_as_they_stand(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    """CFG-01: with where each comes from."""
    monkeypatch.setenv("CRPACK_KEEP", "7")
    assert main(["help", "config", "--prefix", "/p"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "keep 7 the variable `CRPACK_KEEP`" in rows
    assert "prefix /p the command line" in rows
    assert "jobs 0 default" in rows


def test_a_broken_setting_takes_no_help_away(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    monkeypatch.setenv("CRPACK_KEEP", "0")
    assert main(["help", "exit-codes"]) == 0
    assert main(["help", "config"]) == 2
    assert "CRPACK_KEEP" in capsys.readouterr().err


def test_a_misspelt_variable_is_warned_of(monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
    """CFG-01."""
    monkeypatch.setenv("CRPACK_KEEPS", "7")
    assert main(["list"]) == 0
    assert "did you mean `CRPACK_KEEP`?" in capsys.readouterr().err


def test_an_accident_is_told_in_a_sentence_and_in_full_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    """CLI-03."""

    def handler(_: Call) -> int:
        return int(str({}["x"]))  # type: ignore[index] # an accident

    verb(monkeypatch, handler)
    assert main(["list"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: crpack met a fault of its own: KeyError: 'x'\n")
    assert "Traceback" not in error
    assert main(["list", "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_usage_errors_are_json_where_json_was_asked_for(capsys: Streams) -> None:
    """CLI-02."""
    for line in ("--json lst", "list --json --zzz", "--json", "help x --json"):
        assert main(line.split()) == 2
        captured = capsys.readouterr()
        assert captured.err == ""
        document = json.loads(captured.out)
        assert (document["ok"], document["error"]["code"]) == (False, "usage")


def test_a_verbs_module_is_imported_when_it_is_asked_for() -> None:
    for name, (module, _, _) in VERBS.items():
        assert (Path(dispatch.__file__).parent / f"{module}.py").is_file(), name


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["list", "--help"], ["help", "json"]])
def test_an_answer_that_nobody_can_read_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    """CLI-03: a full disk is an error, a reader that went away is none."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no full device")
    with monkeypatch.context() as patch, open("/dev/full", "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        assert main(words) == 1
    assert "No space left on device" in capsys.readouterr().err
    read, write = os.pipe()
    os.close(read)
    with monkeypatch.context() as patch, open(write, "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        assert main(words) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("words", [["--version"], ["list"], ["list", "--json"]])
def test_a_closed_stream_is_no_accident(
    stream: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, stream, None)
    assert main(words) == 0


def test_words_that_are_no_unicode_are_no_accident(capsys: Streams) -> None:
    for line in ("\udcff", "info \udcff", "list --prefix \udcff", "remove \udcff"):
        code = main(line.split())
        assert code in (0, 1, 2)
        assert "fault of its own" not in capsys.readouterr().err
