"""Ranges: bytes and requests for one platform of three, from a server on the loopback.

Run with `make bench`. The archive has 12 MiB of hardly compressible files for each platform, in
400 files, as wheels and native programs have them; and again with a source that all share.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crpack.fetch.transport import Transport
from crpack.index.retrieve import retrieve
from crpack.model.limits import KIB
from tests.tools.lying_server import lying
from tests.unit.archive.many import copy_of, many, member_for
from tests.unit.archive.written import opened

PLATFORMS = ("linux-x86_64-gnu2.28", "linux-aarch64-gnu2.28", "linux-armv7-gnu2.28")
FILES, SHARE, REQUESTS = 400, 0.35, 4


def archive(sources: int) -> bytes:
    """Return an archive for three platforms with some sources of 1 MiB."""
    chance = random.Random(11)  # noqa: S311
    payloads = {
        platform: {
            f"lib/{n}.so": chance.randbytes(chance.randrange(60 * KIB)) for n in range(FILES)
        }
        for platform in PLATFORMS
    }
    return many(payloads, [chance.randbytes(1024 * KIB) for _ in range(sources)])


def main() -> None:
    """Measure and print one line a case."""
    for sources in (0, 3):
        data = archive(sources)
        with lying({"x": data}) as server:
            for number, platform in enumerate(PLATFORMS):
                server.forget()
                wanted = {member_for(data, platform)}
                with tempfile.TemporaryDirectory() as folder:
                    retrieve(
                        Transport({}),
                        [copy_of(data, f"{server.url}/good/x")],
                        identity=opened(data).identity,
                        wanted=lambda _, wanted=wanted: wanted,  # type: ignore[misc]
                        folder=folder,
                    )
                share = server.sent / len(data)
                sys.stdout.write(
                    f"platform {number + 1} of 3, {sources} sources, {len(data) >> 20} MiB: "
                    f"{share:.1%} of the bytes (goal {SHARE:.0%}), "
                    f"{len(server.asked)} requests (goal {REQUESTS})\n"
                )


if __name__ == "__main__":
    main()
