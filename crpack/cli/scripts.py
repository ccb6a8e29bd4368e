"""Scripts of shells that complete words, made of tables of words.

Rules: pure; each word stands quoted, whatever is in a help text; what bash and zsh do is the same
loop: find the verb, then ask a table for the words of the place.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


Names = Literal["", "one", "many"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its words, what it does, whether it takes a value, and the values if few."""

    words: tuple[str, ...]
    what: str
    takes: bool
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What may follow a verb.

    Attributes:
        verb: itself; `what` it does.
        options: all of them.
        first: what its first argument may be; empty where it is free.
        names: how many names of installed solutions it takes, where it takes any.
    """

    verb: str
    what: str
    options: tuple[Option, ...]
    first: tuple[str, ...] = ()
    names: Names = ""


# A folder of a shared prefix may be called anything, and bash expands the words of `compgen -W`.
_NAMES = "crpack list --offline --quiet 2>/dev/null | sed -n 's|^\\([a-z0-9@/._-]*\\)  .*|\\1|p'"

# The loop skips what an option takes; `$verb:$word` is looked up, since an option of one verb may
# take a value and the same word for another verb none.
_LOOP = """\
    for ((i = {start}; i < {current}; i++)); do
        if [[ -n $skip ]]; then skip=; continue; fi
        case $verb:${{{words}[i]}} in
            {taking}) skip=1 ;;
            *:-*) ;;
            :*) verb=${{{words}[i]}} ;;
            *) at=$((at + 1)) ;;
        esac
    done
    case $verb:${{{words}[{current}-1]}} in
{values}
        {taking}) {files} ;;
    esac
"""
_BASH = """\
# Completion of crpack for bash; made by `crpack completion bash`.
_crpack() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} verb= skip= words= at=0 i
    COMPREPLY=()
{loop}    if [[ -n $words ]]; then
        :
    elif [[ $word == -* ]]; then
        case $verb in
{options}
        esac
    else
        case $verb:$at in
{firsts}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _crpack crpack
"""
_ZSH = """\
#compdef crpack
# Completion of crpack for zsh; made by `crpack completion zsh`.
_crpack() {{
    local verb= skip= at=0 i
    local -a found
{loop}    if (( ! $#found )); then
        if [[ $words[CURRENT] == -* ]]; then
            case $verb in
{options}
            esac
        else
            case $verb:$at in
{firsts}
            esac
        fi
    fi
    if (( $#found )); then _describe 'word' found; else _files; fi
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _crpack "$@"; else compdef _crpack crpack; fi
"""


def bash(every: tuple[Words, ...]) -> str:
    """Return bash's script."""
    loop = _LOOP.format(
        start=1,
        current="COMP_CWORD",
        words="COMP_WORDS",
        taking=_taking(every),
        values=_cases(_values(every), _plain, "words", 8),
        files="return",
    )
    names = f"words=$({_NAMES})"
    return _BASH.format(
        loop=loop,
        options=_cases(_options(every), _plain, "words", 12),
        firsts=_firsts(every, _plain, "words", names, 12),
    ).rstrip()


def zsh(every: tuple[Words, ...]) -> str:
    """Return zsh's script."""
    loop = _LOOP.format(
        start=2,
        current="CURRENT",
        words="words",
        taking=_taking(every),
        values=_cases(_values(every), _described, "found", 8),
        files="_files; return",
    )
    names = f'found=(${{(f)"$({_NAMES})"}})'
    return _ZSH.format(
        loop=loop,
        options=_cases(_options(every), _described, "found", 16),
        firsts=_firsts(every, _described, "found", names, 16),
    ).rstrip()


def fish(every: tuple[Words, ...]) -> str:
    """Return fish's script: one line a word."""
    lines = ["# Completion of crpack for fish; made by `crpack completion fish`."]
    lines += [_line("__fish_use_subcommand", f"-f -a {one.verb}", one.what) for one in every]
    for words in every:
        seen = f"__fish_seen_subcommand_from {words.verb}"
        for option in words.options:
            flags = [f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}"
                     for one in option.words]  # fmt: skip
            if option.values:
                flags.append(f"-x -a {_fish_word(' '.join(option.values))}")
            elif option.takes:
                flags.append("-r")
            lines.append(_line(seen, " ".join(flags), option.what))
        if words.first:
            lines.append(_line(seen, f"-f -a {_fish_word(' '.join(words.first))}", ""))
        if words.names:
            lines.append(_line(seen, f"-a {_fish_word(f'({_NAMES})')}", "installed"))
    return "\n".join(lines)


MAKERS: dict[str, Callable[[tuple[Words, ...]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}

Row = tuple[str, tuple[tuple[str, str], ...]]  # a pattern, and words with what they mean


def _taking(every: tuple[Words, ...]) -> str:
    """Return the pattern of all options that take a value: `verb:option`, `*:option` for all."""
    found = {
        f"{words.verb}:{word}"
        for words in every
        for option in words.options
        if option.takes
        for word in option.words
    }
    common = {one.partition(":")[2] for one in found}
    common = {word for word in common if all(f"{words.verb}:{word}" in found for words in every)}
    return "|".join(sorted({one for one in found if one.partition(":")[2] not in common}
                           | {f"*:{word}" for word in common}))  # fmt: skip


def _values(every: tuple[Words, ...]) -> list[Row]:
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for words in every:
        for option in words.options:
            for word in option.words if option.values else ():
                found.setdefault((word, option.values), []).append(words.verb)
    return [
        (
            f"*:{word}" if len(verbs) == len(every) else "|".join(f"{v}:{word}" for v in verbs),
            tuple((value, "") for value in values),
        )
        for (word, values), verbs in found.items()
    ]


def _options(every: tuple[Words, ...]) -> list[Row]:
    return [
        (
            words.verb,
            tuple((word, option.what) for option in words.options for word in option.words),
        )
        for words in every
    ]


def _firsts(
    every: tuple[Words, ...],
    tell: Callable[[Iterable[tuple[str, str]]], str],
    into: str,
    names: str,
    indent: int,
) -> str:
    rows: list[Row] = [(":*", tuple((words.verb, words.what) for words in every))]
    rows += [(f"{words.verb}:0", tuple((word, "") for word in words.first))
             for words in every if words.first]  # fmt: skip
    places = "|".join(
        f"{words.verb}:{'0' if words.names == 'one' else '*'}" for words in every if words.names
    )
    return f"{_cases(rows, tell, into, indent)}\n{'':<{indent}}{places}) {names} ;;"


def _cases(
    rows: Iterable[Row], tell: Callable[[Iterable[tuple[str, str]]], str], into: str, indent: int
) -> str:
    return "\n".join(f"{'':<{indent}}{pattern}) {into}={tell(words)} ;;" for pattern, words in rows)


def _plain(words: Iterable[tuple[str, str]]) -> str:
    return shlex.quote(" ".join(word for word, _ in words))


def _described(words: Iterable[tuple[str, str]]) -> str:
    """Return an array of zsh's `_describe`: `word:what`, colons of the word escaped."""
    quoted = (
        shlex.quote(word.replace(":", "\\:") + (f":{what}" if what else "")) for word, what in words
    )
    return f"({' '.join(quoted)})"


def _line(when: str, words: str, what: str) -> str:
    tail = f" -d {_fish_word(what)}" if what else ""
    return f"complete -c crpack -n {_fish_word(when)} {words}{tail}"


def _fish_word(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
