"""The generator: the same pixels everywhere, files that others can read, sensible scenes."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import tomllib
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.tools.coco_map import overlap
from tests.tools.flagship import GENERATOR, compile_generator, generate

if TYPE_CHECKING:
    from pathlib import Path

CATEGORIES = ["circle", "square", "triangle", "star", "cross"]
CATEGORIES += ["ring", "diamond", "hexagon", "heart", "arrow"]


def coco(dataset: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((dataset / "annotations.json").read_text())
    return loaded


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run(generator: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(generator), *flags], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "flags",
    ["-O0", pytest.param("-O3 -ffast-math -funsigned-char", marks=pytest.mark.slow)],
)
def test_every_compiler_flag_gives_the_same_bytes(
    cxx: str, generator: Path, tmp_path: Path, flags: str
) -> None:
    other = compile_generator(cxx, tmp_path / "other", *flags.split())
    ours = generate(generator, tmp_path / "ours", 20, 77)
    assert contents(generate(other, tmp_path / "theirs", 20, 77)) == contents(ours)


def test_an_image_depends_on_its_seed_alone(generator: Path, tmp_path: Path) -> None:
    first = generate(generator, tmp_path / "a", 4, 500) / "images" / "00000003.png"
    alone = generate(generator, tmp_path / "b", 1, 503) / "images" / "00000000.png"
    assert first.read_bytes() == alone.read_bytes()


def test_decoded_pixels_have_the_digest_that_was_written(dataset: Path) -> None:
    digest = hashlib.sha256()
    for entry in coco(dataset)["images"]:
        with Image.open(dataset / "images" / entry["file_name"]) as image:
            assert (image.mode, image.size) == ("RGB", (entry["width"], entry["height"]))
            digest.update(struct.pack("<II", *image.size) + image.tobytes())
    assert digest.hexdigest() == (dataset / "pixels.sha256").read_text().strip()


def test_png_checksums_are_right(dataset: Path) -> None:
    data = (dataset / "images" / "00000000.png").read_bytes()
    at, chunks = 8, {}
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.pack(">I", zlib.crc32(kind + body)) == data[at + 8 + size : at + 12 + size]
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == (width * 3 + 1) * height


def test_images_are_small_files(dataset: Path) -> None:
    sizes = [file.stat().st_size for file in (dataset / "images").iterdir()]
    assert sum(sizes) / len(sizes) < 40_000


def test_scenes_are_as_described(dataset: Path) -> None:
    found = coco(dataset)
    assert [category["name"] for category in found["categories"]] == CATEGORIES
    boxes: dict[int, list[list[float]]] = {image["id"]: [] for image in found["images"]}
    sides = {image["id"]: (image["width"], image["height"]) for image in found["images"]}
    for item in found["annotations"]:
        left, top, width, height = item["bbox"]
        image_width, image_height = sides[item["image_id"]]
        assert left >= 0
        assert top >= 0
        assert left + width <= image_width + 0.01
        assert top + height <= image_height + 0.01
        assert 0.15 * width * height < item["area"] < 1.02 * width * height
        boxes[item["image_id"]].append(item["bbox"])
    assert all(120 <= side <= 240 for size in sides.values() for side in size)
    assert {len(own) for own in boxes.values()} == set(range(1, 8))
    # At most a quarter of the smaller box is shared, so the union's part is at most a quarter.
    pairs = [(a, b) for own in boxes.values() for i, a in enumerate(own) for b in own[:i]]
    assert max(overlap(a, b) for a, b in pairs) <= 0.2501


def test_categories_are_balanced(dataset: Path) -> None:
    found = coco(dataset)["annotations"]
    counts = Counter(item["category_id"] for item in found)
    mean = len(found) / len(CATEGORIES)
    assert sorted(counts) == list(range(1, 11))
    assert all(0.6 * mean < count < 1.4 * mean for count in counts.values())
    assert [item["id"] for item in found] == list(range(1, len(found) + 1))


def test_the_raw_file_holds_the_same_images(generator: Path, tmp_path: Path) -> None:
    out = generate(generator, tmp_path / "out", 3, 9)
    raw = tmp_path / "raw"
    assert run(generator, "--count", "3", "--first", "9", "--raw", str(raw)).returncode == 0
    data = raw.read_bytes()
    assert data[:12] == b"SHPRAW1\n" + struct.pack("<I", 3)
    at = 12
    for number in range(3):
        width, height, objects = struct.unpack_from("<III", data, at)
        own = [a for a in coco(out)["annotations"] if a["image_id"] == number]
        rows = np.frombuffer(data, "<u4", 5 * objects, at + 12).reshape(objects, 5)
        assert [item["category_id"] for item in own] == rows[:, 0].tolist()
        assert np.allclose([item["bbox"] for item in own], rows[:, 1:] / 256, atol=0.0051)
        at += 12 + 20 * objects + width * height * 3
    assert at == len(data)


def test_the_recipe_expects_the_pixels_that_come_out(generator: Path, tmp_path: Path) -> None:
    recipe = tomllib.loads((GENERATOR / "crpack.toml").read_text())
    argv = recipe["when"][0]["build"]["script"]["steps"][0][1:]
    assert argv[argv.index("--count") + 1] == recipe["options"]["images"]["default"] == "50"
    argv[argv.index("--out") + 1] = str(tmp_path)
    assert run(generator, *argv).returncode == 0
    assert (tmp_path / "pixels.sha256").read_text().strip() == argv[argv.index("--expect") + 1]


def test_unexpected_pixels_are_a_failure(generator: Path, tmp_path: Path) -> None:
    done = run(
        generator, "--count", "1", "--first", "0", "--out", str(tmp_path), "--expect", "0" * 64
    )
    assert done.returncode == 1
    assert "not the expected one" in done.stderr
    assert not (tmp_path / "pixels.sha256").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "`--count` must be at least 1"),
        (["--count", "5"], "nothing to write"),
        (["--count", "-5", "--out", "x"], "whole number up to 10000000, not `-5`"),
        (["--count", "99999999999999999999", "--out", "x"], "whole number"),
        (["--count"], "`--count` needs a value"),
        (["--colour", "red"], "unknown option `--colour`"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    generator: Path, flags: list[str], words: str
) -> None:
    done = run(generator, *flags)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_a_folder_that_cannot_be_written_is_one_sentence(generator: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(generator, "--count", "1", "--first", "0", "--out", str(tmp_path / "file" / "x"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
