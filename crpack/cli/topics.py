"""The texts of `crpack help TOPIC`.

Rules: no topic has the name of a verb, whose help would hide it; the tables of exit codes,
variables and settings are made from the classes and settings themselves.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from crpack import config, errors
from crpack.cli.console import table
from crpack.cli.verbs import VERBS
from crpack.errors import CrpackError
from crpack.model import parameters, platforms

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.config import Config

CONFIG = "config"  # the topic that shows the settings as they stand

_JSON = """\
With `--json` a verb prints one object on standard output, on failure too:

  {"schema": "crpack-cli/1", "ok": true, "data": …, "warnings": []}
  {"schema": "crpack-cli/1", "ok": false, "data": null, "warnings": [],
   "error": {"code", "what", "why", "hint", "data"}}

`code` is a stable word (`crpack help exit-codes`); the exit code is the same as without."""

_SIGNATURES = """\
Every archive is signed by its publisher. One from an index must be signed by a key that this index
lets publish its name (`crpack help indexes`); a lone file by a key that you pinned:

  crpack trust add alice.pub --names 'alice/*'    pin a key for the names it may sign
  crpack trust list                               show pinned keys and their names
  crpack trust remove KEYID                       stop trusting a key

A lone archive tells who signed it, not whether it is the newest: its freshness is unknown.
`--allow-unsigned` takes what nobody signed, says so loudly, and records it.

What is built here runs in a sandbox: at level L2 or better, or not at all. A key pinned with
`--may-build`, or which an index lets build, may also build where only L1 can be had;
`--sandbox=best-effort` lets all, and `--sandbox=none` takes the walls away."""

_INDEXES = """\
An index says which versions of which names there are, and who may publish them. It is a folder,
behind any web server or on any disk; its owner signs it, and you trust it by its fingerprint:

  crpack trust add URL|DIR --root-fingerprint sha256:…    pin it; ask its owner for the fingerprint
  crpack trust list                                       in the order in which they are asked
  crpack search WORD    crpack info NAME    crpack list --outdated

The first index that has a name decides for it; what is installed stays with its index. crpack's
own index is asked last, as it was when this crpack was made. `--index NAME` asks one only.
Offline the state that was fetched last serves, for `max-offline-age` days from when it was signed.

  crpack index new DIR; crpack index add DIR FILE…        make one for others
  crpack index refresh DIR                                once a month, or readers refuse it"""

_LOCKS = """\
`crpack.lock` holds the exact versions, archives and wheels of what was asked for, by digest:

  crpack lock NAME…             choose and write it; what it has already is kept while it serves
  crpack lock --upgrade NAME    choose NAME anew ('*': everything)
  crpack lock --check           is it still what would be chosen? exit 3 if not
  crpack install --locked       install it, if it was made for these requests and choices
  crpack install --frozen       install it as it is

`--platform P` and `--facts FILE` lock for other machines (`crpack detect --save FILE` there).
Software that a machine has already is locked by its range, with what to make where it lacks."""

_BUNDLES = """\
A bundle is one file with all that a solution needs: archives, sources, wheels, the lock, and the
part of the index that proves them. It is installed without a network:

  crpack bundle NAME…           for this machine; for others with `--platform P`, `--facts FILE`
  crpack bundle                 what `crpack.lock` says
  crpack bundle NAME… --key K   and vouch for its Python wheels
  crpack install NAME.crbundle

An index vouches for archives, not for Python wheels. They must be exactly what the archives ask
for; that they are the real ones, only the bundle's maker says. Without a signature by a key that
is pinned for all that the bundle installs there is a warning; `bundle-wheels = "signed"` refuses.

Else a bundle needs no trust of its own: its index must be trusted where it is installed
(`crpack help indexes`; with `--offline` an address is trusted unseen, by the fingerprint), and
counts for `max-offline-age` days from when it was signed."""

_DATA = """\
A model or data set that you have already is used where it is: linked, never copied or deleted.
crpack looks for it when something that you install needs it, by size and sha256, or by the marker
files that its publisher names, below

  ~/datasets  ~/models  ~/.cache/huggingface/hub  ~/.cache/torch/hub  /data  /datasets

and below your own folders, which come first:

  data-folders = "/mnt/archive:~/nets"            a line of config.toml, or CRPACK_DATA_FOLDERS
  crpack install NAME --dry-run                   shows what would be used, and in place of what
  crpack install NAME --no-detect                 uses nothing of the machine

`run` and `validate` refuse (exit 7) when its files are gone or hold other bytes than before;
`crpack install --reinstall NAME` looks again, and fetches it if need be."""

_EXECUTORS = """\
`run`, `validate` and `benchmark` start programs on this machine. What is installed for another
platform runs here under an emulator, where one is found. `--executor` says it otherwise:

  --executor local             here or not at all
  --executor emulator          qemu-user, wine or node (`crpack detect qemu-user wine node`)
  --executor ssh:HOST          on HOST, as `ssh HOST` reaches it without being asked for anything
  --executor ssh:HOST:/FOLDER  … with crpack's files in FOLDER, not in ~/.cache/crpack/far
  --executor adb[:SERIAL]      on an Android device; written, and not yet run on one

What runs elsewhere is sent from the prefix: components once, by their digests, to stay there for
the next run; inputs each time. Outputs come back into the run folder, at most 64 MiB, and are
checked as from a stranger. The run's own folder there is removed, and its programs are ended.
HOST needs `sh`, `tar` and no crpack; `ssh` must know its key. Python environments and software
that was detected on this machine are not sent: install such a solution there.

Records name the executor and no host. With ssh and adb they hold no state of the machine, and CPU
time as the shell there tells it."""

_RECORDS = """\
Each run leaves its folder below `runs/` of the prefix, or where `--out` says: `input.json`, what
the program wrote, and `run.json`, which names software, inputs and outputs by digest.

`benchmark` leaves a result, a file named by its own sha256, below `results/`:

  crpack benchmark NAME                 measure and validate; exit 7 where it is not valid
  crpack benchmark --replay FILE        measure the same again, and tell what differs
  crpack dashboard FILE|DIR… --out DIR  a page of results, the official ones beside them

None of them holds a host, a user, a path of yours or an address. A speed whose validation failed
is kept and shown as invalid."""

_FILES = """\
Folders follow the XDG rules; CRPACK_HOME moves them all below one folder:

  config   settings (config.toml), pinned keys (trust.json), pinned indexes (indexes.json),
           private keys (keys/)
  cache    wheels/, archives/, index/, parts/ of downloads, detections; may be deleted at any time
           (`crpack cache size`, `prune`, `clean`)
  data     the default prefix: store/, solutions/, envs/, built/, stage/, trash/, runs/,
           results/
  state    index/FINGERPRINT/: what was seen of an index, so that it cannot go back; logs of builds

Below the prefix, `solutions/NAME/current` names the generation in use."""

_BENCHMARKS = """\
`crpack benchmark NAME` measures an installed solution and writes a result (`crpack help records`),
with the lock of what was measured beside it.

  crpack benchmark NAME --set backend=native --repeats 5    start it five times, pool the samples
  crpack benchmark NAME --explore 'backend=*,threads=1,2'   try all, show what no other is better
  crpack benchmark --replay RESULT                          measure that again, and compare
  crpack benchmark NAME --sign KEY                          vouch for it, in RESULT.sig.json

Speed counts with accuracy only: what was measured is validated with the same params, and is
INVALID where that fails or the harness (LoadGen) says so. A busy machine is told and recorded; a
replay that is slower on one is not decided. A result whose numbers are not those of its own samples
is refused.

For authors: an action that answers `latencies_ns`, nanoseconds of each query, is a benchmark; it
may tell `images` and `wall_ns`, `load_ns`, `peak_bytes`, `harness`, `valid` and `reason` too.
Params named `warmup`, `scenario` and `images` have a meaning. `[[constraint]]` says which values go
together, `[[golden]]` are runs whose answers you saw:

  [[constraint]]
  match = { backend = "native" }
  only = { precision = ["fp32", "fp16"], threads = 1 }

  [[golden]]
  action = "run"
  input = { image = "{self}/square.png" }
  expect = { count = { value = 1 }, detections = { file = "square.json", tolerance = 0.01 } }"""

_LIST = "`crpack help TOPIC` shows one, and `crpack help VERB` tells of a verb."

_CONFIG = """\
A setting is a line `KEY = VALUE` of config.toml (`crpack help files`), a variable CRPACK_KEY,
or a flag; the flag wins over the variable, and that over the file. `--config FILE` reads that
file in place of the usual ones."""

_PASSED = """\
`run` passes the exit code of the action's own program; 128 + N means that signal N ended it.
With `--json` the same code stands as the word `code`, beside what failed, why and a hint."""

_PLATFORMS = """\
A platform reads os-arch-abi with an optional floor, such as linux-x86_64-gnu2.28,
linux-aarch64-gnu, macos-arm64-11.0, or any. Known are:

{known}

The floor is the oldest C library (or macOS, or Android API) that a result asks for.
`crpack detect` shows this machine's platform.

What is for another machine can be made on this one, with tools that run here:

  crpack install --platform P --prefix DIR NAME    a folder of installations to copy there
  crpack bundle --platform P NAME                  one file to install there, without a network
  crpack lock --platform P NAME                    what would be chosen there
  crpack build --platform P FOLDER                 an archive that needs no compiler there

`--facts FILE` tells more of that machine (`crpack detect --save FILE` there). What needs Python
goes there in a bundle. A bundle says what that machine must still compile."""


def _platforms() -> str:
    known = textwrap.fill(
        ", ".join(map(str, platforms.known())), 80,
        initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False,
    )  # fmt: skip
    return _PLATFORMS.format(known=known)


def text(topic: str, settled: Config | None = None) -> str:
    """Return the text of a topic, or the list of topics.

    Args:
        topic: its name; empty for the list.
        settled: the settings as they stand, for the topic `config`.

    Raises:
        UsageError: there is no such topic.
    """
    if not topic:
        return f"Topics: {', '.join(TOPICS)}\n\n{_LIST}"
    if topic not in TOPICS:
        raise parameters.unknown(topic, (*TOPICS, *VERBS), f"there is no topic `{topic}`")
    if topic == CONFIG:
        return configuration(settled or config.merge([]))
    return _MAKERS[topic]()


def classes() -> list[type[CrpackError]]:
    """Return every error class, in the order of the exit codes."""
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, CrpackError)
    ]
    return sorted(found, key=lambda cls: (cls.exit_code, cls.code))


def exit_codes() -> str:
    """Return the table of exit codes and error codes, made from the classes."""
    rows = ["exit  code           meaning", "0     -              done"]
    for cls in classes():
        meaning = (cls.__doc__ or "").partition("\n")[0].rstrip(".")
        rows.append(f"{cls.exit_code:<6}{cls.code:<15}{meaning}")
    return "\n".join([*rows, "", _PASSED])


def configuration(settled: Config) -> str:
    """Return the table of settings as they stand: key, value, where it comes from, meaning."""
    meanings = {setting.key: setting for setting in config.SETTINGS}
    rows = [("setting", "value", "from")]
    for key, value, origin in settled.values:
        rows.append((key, value or "-", origin))
    known = [
        (key, f"{setting.meaning} ({setting.wanted.replace('`', '')})")
        for key, setting in meanings.items()
    ]
    return "\n".join([table(rows), "", table(known), "", _CONFIG])


def environment() -> str:
    """Return the table of environment variables, made from the settings."""
    rows = [
        f"{setting.variable:<24}{setting.meaning} [{setting.default or '-'}]"
        for setting in config.SETTINGS
    ]
    rows += [f"{name:<24}{meaning}" for name, meaning in config.OTHERS.items()]
    rows += [
        f"{'NO_COLOR, CLICOLOR_FORCE':<24} no colours, or colours also into a pipe",
        f"{'SSL_CERT_FILE':<24}certificates to trust for downloads",
        f"{'HTTPS_PROXY, NO_PROXY':<24}proxies for downloads",
    ]
    return "\n".join(rows)


_MAKERS: dict[str, Callable[[], str]] = {
    "benchmarks": lambda: _BENCHMARKS,
    "bundles": lambda: _BUNDLES,
    "data": lambda: _DATA,
    "environment": environment,
    "executors": lambda: _EXECUTORS,
    "exit-codes": exit_codes,
    "files": lambda: _FILES,
    "indexes": lambda: _INDEXES,
    "json": lambda: _JSON,
    "locks": lambda: _LOCKS,
    "platforms": _platforms,
    "records": lambda: _RECORDS,
    "signatures": lambda: _SIGNATURES,
}
TOPICS = (CONFIG, *_MAKERS)
