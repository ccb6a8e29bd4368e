"""The verbs `info` and `verify`.

Rules: an argument that ends in `.crpkg`, or names a file, means that file; any other means an
installed solution, or, for `info`, a name that an index has. A fault of an archive is exit 4,
whatever finds it; one of an installed solution, which `verify` hashes again, exit 7 (SPEC CLI-05).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from crpack.cli import names
from crpack.cli.console import table
from crpack.cli.sessions import session_of
from crpack.errors import ArchiveError, CheckFailed
from crpack.model.quantity import counted, size
from crpack.ops import auditing, bundles, catalogue, inquire, unbundling

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.cli.dispatch import Call
    from crpack.cli.parser import VerbParser
    from crpack.model.manifest import Payload
    from crpack.model.parameters import Parameter


def configure(verb: str, parser: VerbParser) -> Callable[[Call], int]:
    """Complete the parser of `info` or `verify` and return its handler."""
    return {"info": _configure_info, "verify": _configure_verify}[verb](parser)


def _configure_info(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument(
        "what", metavar="FILE|NAME", help="an archive, an installed solution, or a name of an index"
    )
    parser.add_argument("--files", action="store_true", help="list the files of its payloads")
    return _info


def _configure_verify(parser: VerbParser) -> Callable[[Call], int]:
    parser.add_argument("what", nargs="+", metavar="FILE|NAME", help="archives or installed ones")
    parser.add_argument("--strict", action="store_true", help="also compare the tar inside")
    parser.add_argument(
        "--audit", action="store_true", help="also compare every binary with what is stated of it"
    )
    parser.add_argument(
        "--no-trust", action="store_true", help="check the bytes only, not who signed them"
    )
    return _verify


def _info(call: Call) -> int:
    what = call.args.what
    if unbundling.holds_bundle(what):
        bundle = bundles.bundle_card(what)
        call.console.answer(bundle, "\n".join(_bundle_lines(bundle)))
    elif _is_file(what):
        card = inquire.archive_card(session_of(call), what, files=call.args.files)
        call.console.answer(card, "\n".join(_archive_lines(card)))
    elif inquire.is_installed(session_of(call), what):
        installed = inquire.solution_card(session_of(call), what)
        call.console.answer(installed, "\n".join(_solution_lines(installed)))
    else:
        listed = catalogue.card(session_of(call), what)
        call.console.answer(listed, "\n".join(names.lines(listed)))
    return 0


def _bundle_lines(card: bundles.BundleCard) -> list[str]:
    return [
        f"bundle of {', '.join(card.requests)}, made {card.date}",
        f"  size      {size(card.size)}",
        *(f"  platform  {platform}" for platform in card.platforms),
        *(f"  archive   {identity}" for identity in card.archives),
        *(f"  wheel     {wheel}" for wheel in card.wheels),
        *(f"  index     sha256:{root}" for root in card.roots),
    ]


def _is_file(what: str) -> bool:
    """Say whether an argument means a file rather than an installed solution."""
    return what.endswith(".crpkg") or os.path.isfile(what)


def _archive_lines(card: inquire.ArchiveCard) -> list[str]:
    lines = [
        f"{card.name} {card.version} ({card.kind}, revision {card.revision})",
        f"  {card.summary}",
        f"  license   {card.license}",
        *([f"  upstream  {card.upstream}"] if card.upstream else []),
        *(f"  author    {author}" for author in card.authors),
        *(f"  see       {link}" for link in (card.homepage, card.paper) if link),
        f"  identity  {card.identity}",
        f"  size      {size(card.size)}, {card.copy} copy",
        f"  signed    {card.trust}",
    ]
    lines += [f"            key {keyid}" for keyid in card.keyids]
    lines += [f"  needs     {text}" for text in card.requires]
    lines += [f"  python    {text}" for text in card.python]
    lines += [f"  option    {_parameter(option)}" for option in card.options]
    lines += [f"  {text}" for text in _actions(card.actions, 10)]
    lines += [f"  payload   {_payload(payload)}" for payload in card.payloads]
    lines += [f"  source    {sha256}" for sha256 in card.sources]
    lines += [f"  carries   {text}" for text in card.components]
    lines += [f"  file      {path}" for path in card.files]
    return lines


def _payload(payload: Payload) -> str:
    sizes = f"{size(payload.unpacked)} (packed {size(payload.packed)})"
    return f"{payload.platform}: {counted(payload.files, 'file')}, {sizes}"


def _solution_lines(card: inquire.SolutionCard) -> list[str]:
    lines = [
        f"{card.name} {card.version}, generation {card.generation} of {card.date}",
        f"  {card.summary}",
        f"  from         {card.request}",
        f"  platform     {card.platform}",
        f"  realisation  {card.realisation}",
        f"  folder       {card.path}",
    ]
    lines += [f"  unsigned     {name}: nobody vouches for it" for name in card.unsigned]
    lines += [f"  part         {text}" for text in card.parts]
    lines += [f"  wheel        {text}" for text in card.wheels]
    chosen = {choice.name: choice.value for choice in card.chosen}
    lines += [
        f"  option       {_parameter(option, chosen.get(option.name, ''))}"
        for option in card.options
    ]
    lines += [f"  {text}" for text in _actions(card.actions, 13)]
    return lines


def _actions(cards: tuple[inquire.ActionCard, ...], width: int) -> list[str]:
    lines = []
    for card in cards:
        lines.append(f"{'action':<{width}}{card.name}{f': {card.help}' if card.help else ''}")
        for word, parameters in (
            ("input", card.inputs), ("param", card.params), ("gives", card.outputs)
        ):  # fmt: skip
            lines += [f"{'':<{width}}  {word} {_parameter(one)}" for one in parameters]
    return lines


def _parameter(one: Parameter, chosen: str = "") -> str:
    """Return a parameter as people read it: name, value, type or values, default, help."""
    notes = ["|".join(one.values) or one.type]
    notes += [" to ".join(one.range)] if one.range else []
    notes += ["required"] if one.required else []
    notes += [f"default {one.default}"] if one.default is not None else []
    name = f"{one.name} = {chosen}" if chosen else one.name
    return f"{name} ({', '.join(notes)}){f': {one.help}' if one.help else ''}"


def _verify(call: Call) -> int:
    checked = []
    for what in call.args.what:
        if unbundling.holds_bundle(what):
            checked.append(bundles.verify_bundle(what))
        elif _is_file(what):
            checked.append(
                inquire.verify_archive(
                    session_of(call), what, strict=call.args.strict, trust=not call.args.no_trust
                )
            )
        else:
            checked.append(inquire.verify_solution(session_of(call), what))
    faults = [fault for item in checked for fault in item.faults]
    if faults:
        names = ", ".join(f"`{item.name}`" for item in checked if item.faults)
        of_archive = any(
            item.faults and _is_file(what)
            for what, item in zip(call.args.what, checked, strict=True)
        )
        raise (ArchiveError if of_archive else CheckFailed)(
            f"{names} is not as it was made",
            why=faults[:20],
            hint="get the archive again, or repair with `crpack install --reinstall FILE`",
            data={"checked": [{"name": i.name, "faults": list(i.faults)} for i in checked]},
        )
    if call.args.audit:
        return _audit(call)
    call.console.answer(checked, "\n".join(f"ok {item.name}: {item.summary}" for item in checked))
    return 0


def _audit(call: Call) -> int:
    audited = [_audited(call, what) for what in call.args.what]
    faults = [fault for one in audited for fault in one.faults]
    if faults:
        names = ", ".join(f"`{one.name}`" for one in audited if one.faults)
        raise CheckFailed(
            f"{names} is not as it is stated",
            why=faults[:20],
            hint="build it again with this crpack, which refuses such results",
            data={"audited": [asdict(one) for one in audited]},
            rule="AUD-07",
        )
    call.console.answer(audited, "\n".join(line for one in audited for line in _table(one)))
    return 0


def _audited(call: Call, what: str) -> auditing.Audited:
    session = session_of(call)
    if unbundling.holds_bundle(what):
        return auditing.audit_bundle(session, what)
    if _is_file(what):
        return auditing.audit_archive(session, what)
    return auditing.audit_solution(session, what)


def _table(found: auditing.Audited) -> list[str]:
    rows = [
        (row.component, row.path, row.kind, row.platform, ", ".join(row.needed) or "-")
        for row in found.rows
    ]
    results, binaries = counted(found.results, "result"), counted(len(rows), "binary")
    return [
        f"ok {found.name}: {results}, {binaries}, all as stated",
        *(f"  {text}" for text in found.floors),
        *(f"  {line}" for line in table(rows).splitlines()),
        *(f"  open: {text}" for text in found.open),
    ]
