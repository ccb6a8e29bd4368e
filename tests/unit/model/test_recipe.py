from __future__ import annotations

import pytest

from crpack.model import recipe_document
from crpack.model.requirements import Requirement
from tests.unit.model.written_recipes import HEAD, LINUX, WHOLE, document, messages, resolved


def test_a_recipe_holds_what_its_author_wrote() -> None:
    """RCP-01, REQ-01, PRM-01, ACT-01, MET-01."""
    recipe = recipe_document.open_json(document(WHOLE))
    assert (recipe.package.name, recipe.package.version, recipe.package.revision) == (
        "lab/sample",
        "1.2.0",
        3,
    )
    assert [option.name for option in recipe.options] == ["fast", "images", "scale"]
    assert [option.name for option in recipe.build_options] == ["images", "scale"]
    assert recipe.requires.run == (
        Requirement("extra", optional=True),
        Requirement("lab-data", ">=1,<2", (("images", "{option.images}"),), "forbid"),
        Requirement("zlib", ">=1.2"),
    )
    assert recipe.requires.build == (Requirement("gcc", ">=10"),)
    assert recipe.requires.target == (Requirement("zlib", ">=1.2.13", external="prefer"),)
    assert [source.kind for source in recipe.source] == ["local", "inline", "url"]
    assert recipe.build is not None
    assert recipe.build.make.vars == (("CXXFLAGS", "-O3 {target.cpu_flags}"), ("N", "4"))
    assert recipe.build.make.install == ("install",)
    assert recipe.exports.env == (("SAMPLE_HOME", "{prefix}/share"),)
    assert recipe.test is not None
    assert recipe.test.steps == (("{self}/bin/sample", "--self-test"),)
    run, validate = recipe.action
    assert run.argv == ("{python}", "{self}/main.py", "{input}", "{output}")
    assert (run.pre, run.post, run.timeout) == ((("true",),), (), 3600)
    assert [p.name for p in (*run.inputs, *run.params)] == ["image", "threshold"]
    assert validate.outputs[0].type == "float"
    (metric,) = recipe.metrics
    assert (metric.action, metric.unit, metric.direction) == ("validate", "1", "higher")
    assert (metric.reference, metric.tolerance) == ("0.41", "0.01")


def test_what_a_component_provides_and_excludes_is_carried() -> None:
    """REQ-05, REQ-06, REQ-07: by name, and for some machines only."""
    block = "[[when]]\nmatch = { os = 'linux' }\nconflicts.nvidia-toolkit = '<12'\n"
    for platform, more in ((LINUX, (("nvidia-toolkit", "<12"),)), ("macos-arm64-11.0", ())):
        recipe = resolved(WHOLE + block, platform, images="50")
        assert recipe.provides == (("sample-api", "1.2"), ("samples", ""))
        assert recipe.conflicts == (*more, ("other-sample", "<2"))
        assert recipe.replaces == (("old-sample", ""),)


def test_outputs_are_told_by_role_where_there_are_some() -> None:
    """RCP-05."""
    recipe = recipe_document.open_json(document(WHOLE))
    assert recipe.outputs.by_role() == (("exe", ("bin/*",)), ("data", ("share/**",)))


def test_a_recipe_may_only_say_how_to_recognise_something() -> None:
    recipe = recipe_document.open_json(
        document(HEAD + '[[probe]]\nkind = "os-package"\ndpkg = "x"')
    )
    assert recipe.build is None
    assert recipe.probe[0].exit_codes == (0,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[test]\nsteps = ["make test"]', "test.steps[0] must be an array, not a text"),
        ('[action.a]\nargv = "./run"', "action.a.argv must be an array, not a text"),
        ("[action.a]\nargv = [[]]", "action.a.argv[0] must be a text, not an array"),
        (
            '[action.a]\nargv = ["x"]\npre = ["true"]',
            "action.a.pre[0] must be an array, not a text",
        ),
        (
            '[build]\ndriver = "script"\n[build.script]\nsteps = ["cc x.c"]',
            "build.script.steps[0] must be an array, not a text",
        ),
    ],
)
def test_a_command_is_an_array_of_texts_and_never_a_line_of_a_shell(
    text: str, message: str
) -> None:
    """RCP-02."""
    assert messages(HEAD + text) == [message]


def test_the_result_of_a_build_may_be_the_same_everywhere() -> None:
    """RCP-04."""
    text = HEAD + '[build]\ndriver = "make"\nplatform = "any"'
    build = resolved(text).build
    assert build is not None
    assert build.platform == "any"
    assert messages(text.replace("any", "linux")) == ["build.platform must be one of ``, `any`"]
