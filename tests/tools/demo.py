"""`make demo`: the device owner's road with the real commands, in a folder of its own.

The solution comes by name from the index that came with crpack; its detector is compiled here.
Everything is written below that folder; nothing else is touched.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "object-detection-shapes"


def crpack(home: Path, *words: str, answer: bool = False) -> str:
    """Show and run one crpack command; return its standard output where it is asked for."""
    shown = shlex.join(words)
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


def several_objects(data_set: Path, count: int) -> list[Path]:
    """Return the pictures of a data set that show the most objects."""
    known = json.loads((data_set / "annotations.json").read_text(encoding="utf-8"))
    objects = Counter(one["image_id"] for one in known["annotations"])
    names = {one["id"]: one["file_name"] for one in known["images"]}
    chosen = sorted(names, key=lambda image: (-objects[image], names[image]))[:count]
    return [data_set / "images" / names[image] for image in chosen]


def main(folder: str) -> None:
    """Install, run and validate the flagship."""
    started = time.monotonic()
    demo = Path(folder).resolve()
    shutil.rmtree(demo, ignore_errors=True)
    home, images = demo / "home", demo / "images"
    demo.mkdir(parents=True)
    sys.stdout.write(
        "The commands may be pasted into a shell after this one:\n"
        f"$ export CRPACK_HOME={shlex.quote(str(home))}"
        f' PATH={shlex.quote(os.path.dirname(sys.executable))}:"$PATH"\n'
    )
    crpack(home, "search", "shapes")
    crpack(home, "install", NAME)
    crpack(home, "list")
    data_set = home / "data/solutions" / NAME / "current/root/shapes-dataset"
    images.mkdir()
    for picture in several_objects(data_set, 4):
        shutil.copy(picture, images)
    text = crpack(
        home, "run", NAME, "--set", f"image={images}", "--out", str(demo / "run"), "--json",
        answer=True,
    )  # fmt: skip
    outputs = json.loads(text)["data"]["outputs"]
    found = Counter(one["category"] for one in outputs["detections"]).most_common()
    words = ", ".join(f"{count} {category}" for category, count in found)
    sys.stdout.write(f"{len(outputs['detections'])} objects in 4 images: {words}\n")
    crpack(home, "validate", NAME)
    sys.stdout.write(
        f"\nDone in {time.monotonic() - started:.0f} s.\n"
        f"The picture with drawn boxes: {outputs['picture']}\n"
        f"All pictures:                 {outputs['pictures']}\n"
        f"Try another image:            crpack run {NAME} --set image=PICTURE.jpg\n"
        "(after the `export` at the top, in a shell of yours)\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
