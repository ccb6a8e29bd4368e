"""`make demo`: the whole road with the real commands, in a folder of its own.

Keys and installations live below that folder; nothing else is touched.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "object-detection-shapes"


def crpack(home: Path, *words: str, answer: bool = False) -> str:
    """Show and run one crpack command; return its standard output where it is asked for."""
    shown = " ".join(f'"{word}"' if " " in word else word for word in words)
    sys.stdout.write(f"\n$ crpack {shown}\n")
    sys.stdout.flush()
    done = subprocess.run(
        [sys.executable, "-m", "crpack", *words],
        env={**os.environ, "CRPACK_HOME": str(home)},
        stdout=subprocess.PIPE if answer else None,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"the demo stops here: `crpack {shown}` ended with {done.returncode}")
    return done.stdout or ""


def main(folder: str) -> None:
    """Build, install, run and validate the flagship."""
    started = time.monotonic()
    demo = Path(folder).resolve()
    shutil.rmtree(demo, ignore_errors=True)
    home, images = demo / "home", demo / "images"
    demo.mkdir(parents=True)
    archive = demo / f"{NAME}.crpkg"
    crpack(home, "key", "new", "demo", "--no-passphrase")
    crpack(home, "trust", "add", str(home / "config/keys/demo.pub"), "--names", "*")
    recipes = ROOT / "recipes"
    crpack(
        home, "build", str(recipes / "solution" / NAME), "--with", str(recipes), "--full",
        "--out", str(archive),
    )  # fmt: skip
    crpack(home, "install", str(archive))
    crpack(home, "list")
    data_set = next((home / "data/solutions").glob(f"{NAME}/current/root/shapes-dataset/images"))
    images.mkdir()
    for picture in sorted(data_set.glob("*.png"))[:4]:
        shutil.copy(picture, images)
    text = crpack(
        home, "run", NAME, "--set", f"image={images}", "--out", str(demo / "run"), "--json",
        answer=True,
    )  # fmt: skip
    outputs = json.loads(text)["data"]["outputs"]
    found = [f"{one['category']} {one['score']:.2f}" for one in outputs["detections"]]
    sys.stdout.write(f"{len(found)} detections in 4 images: {', '.join(found)}\n")
    crpack(home, "validate", NAME)
    sys.stdout.write(
        f"\nDone in {time.monotonic() - started:.0f} s.\n"
        f"The picture with drawn boxes: {outputs['picture']}\n"
        f"All pictures:                 {outputs['pictures']}\n"
        f"Try another image: CRPACK_HOME={shlex.quote(str(home))} "
        f"{shlex.quote(sys.executable)} -m crpack run {NAME} "
        "--set image=PICTURE.jpg\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
