"""The solution's programs: any image in, records and pictures out, faults as one sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tools.coco_map import mean_average_precision
from tests.tools.flagship import MODEL, SOLUTION, Native

PROGRAMS = SOLUTION / "programs"
ENGINE = {"backend": "native", "precision": "fp32", "input_size": "128", "threads": 1}
ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Solution:
    """The programs with a compiled detector, run in a folder as crpack would."""

    native: Native
    folder: Path

    def call(
        self, program: str, request: dict[str, Any], *folders: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on a request."""
        (self.folder / "in.json").write_text(json.dumps(ENGINE | request))
        argv = [sys.executable, "-B", str(PROGRAMS / program), "in.json", "out.json"]
        argv += [str(self.native.program), str(MODEL), *map(str, folders)]
        return subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)

    def answer(self, program: str, request: dict[str, Any], *folders: Path) -> dict[str, Any]:
        """The answer of a run that succeeds."""
        done = self.call(program, request, *folders)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads((self.folder / "out.json").read_text())
        return answer

    def detect(self, image: Path, threshold: float = 0.3) -> dict[str, Any]:
        """The answer of `detect.py`."""
        request = {"image": str(image), "threshold": threshold, "max_detections": 100}
        return self.answer("detect.py", request)


@pytest.fixture
def solution(native: Native, tmp_path: Path) -> Solution:
    (tmp_path / "run").mkdir()
    return Solution(native, tmp_path / "run")


@pytest.fixture
def sample(dataset: Path) -> Image.Image:
    with Image.open(dataset / "images" / "00000002.png") as image:
        return image.convert("RGB")


def by_file(answer: dict[str, Any]) -> dict[str, list[tuple[int, list[float]]]]:
    """Category and box of each detection by file."""
    found: dict[str, list[tuple[int, list[float]]]] = {}
    for record in answer["detections"]:
        found.setdefault(record["file_name"], []).append((record["category_id"], record["bbox"]))
    return found


def test_one_image_gives_records_and_a_picture(solution: Solution, dataset: Path) -> None:
    answer = solution.detect(dataset / "images" / "00000002.png")
    truth = json.loads((dataset / "annotations.json").read_text())
    expected = [a["category_id"] for a in truth["annotations"] if a["image_id"] == 2]
    found = [record["category_id"] for record in answer["detections"]]
    assert sorted(found) == sorted(expected)
    names = {category["id"]: category["name"] for category in truth["categories"]}
    for record in answer["detections"]:
        assert record["file_name"] == "00000002.png"
        assert record["category"] == names[record["category_id"]]
        assert record["score"] >= 0.3
    assert answer["images"] == 1
    assert answer["skipped"] == []
    assert answer["picture"] == "pictures/00000002.png"
    with (
        Image.open(solution.folder / answer["picture"]) as picture,
        Image.open(dataset / "images" / "00000002.png") as original,
    ):
        factor = picture.width // original.width
        assert picture.size == (original.width * factor, original.height * factor)
        plain = original.resize(picture.size, Image.Resampling.NEAREST)
        left, top, width, height = (side * factor for side in answer["detections"][0]["bbox"])
        box = (int(left) - 2, int(top) - 2, int(left + width) + 2, int(top + height) + 2)
        assert picture.crop(box).tobytes() != plain.crop(box).tobytes()


def test_every_kind_of_png_and_jpeg_is_read(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "kinds é"
    folder.mkdir()
    grey = sample.convert("L")
    opaque = sample.convert("RGBA")
    kinds = {
        "rgb.png": sample,
        "opaque.png": opaque,
        "grey.png": grey,
        "grey-alpha.png": grey.convert("LA"),
        "grey16.png": Image.fromarray(np.asarray(grey).astype(np.uint16) * 257),
        "palette.png": sample.quantize(256),
        "bits.png": sample.convert("1"),
        "colour.JPG": sample,
        "grey.jpeg": grey,
        "cmyk.jpg": sample.convert("CMYK"),
    }
    for name, image in kinds.items():
        image.save(folder / name)
    answer = solution.detect(folder)
    assert (answer["images"], answer["skipped"]) == (len(kinds), [])
    assert sorted(p.name for p in (solution.folder / "pictures").iterdir()) == sorted(kinds)
    found = by_file(answer)
    assert found["rgb.png"] == found["opaque.png"]
    assert found["grey.png"] == found["grey-alpha.png"] == found["grey16.png"]
    categories = {category for category, _ in found["rgb.png"]}
    for name in ("palette.png", "colour.JPG", "cmyk.jpg"):
        assert {category for category, _ in found[name]} == categories


def test_transparent_parts_are_white(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    clear = sample.convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "clear.png")
    assert solution.detect(tmp_path / "clear.png")["detections"] == []
    with Image.open(solution.folder / "pictures" / "clear.png") as picture:
        assert picture.getextrema() == ((255, 255),) * 3


def test_a_rotated_photograph_is_set_upright(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned clockwise by a quarter
    sample.save(folder / "upright.png")
    sample.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", exif=exif)
    found = by_file(solution.detect(folder))
    assert found["turned.png"] == found["upright.png"]


def test_files_that_are_no_images_are_skipped_and_told(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    (folder / "folder.png").mkdir(parents=True)
    sample.save(folder / "good.png")
    (folder / "notes.txt").write_text("not looked at")
    (folder / "text.jpg").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")
    (folder / "short.png").write_bytes((folder / "good.png").read_bytes()[:3000])
    answer = solution.detect(folder)
    assert answer["images"] == 1
    assert answer["picture"] == "pictures/good.png"
    reasons = {skip["file_name"]: skip["reason"] for skip in answer["skipped"]}
    assert sorted(reasons) == ["empty.png", "short.png", "text.jpg"]
    assert "is not a PNG or JPEG image" in reasons["text.jpg"]
    assert "is broken" in reasons["short.png"]


def failure(solution: Solution, image: Path) -> str:
    """What a run that fails says: one sentence."""
    request = {"image": str(image), "threshold": 0.3, "max_detections": 100}
    done = solution.call("detect.py", request)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (solution.folder / "out.json").exists()
    return done.stderr


def test_a_name_with_a_line_end_stays_one_line(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    sample.save(folder / "a\nerror: b.png")
    (folder / "c\x1b[2J\n.png").write_text("no image")
    request = {"image": str(folder), "threshold": 0.3, "max_detections": 9}
    done = solution.call("detect.py", request)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    lines = sorted(done.stderr.splitlines())
    assert [line.split(":")[0] for line in lines] == ["a\\nerror", "skipped"]


def test_what_is_no_image_is_one_sentence(solution: Solution, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "folder").mkdir()
    assert "is not a PNG or JPEG image" in failure(solution, tmp_path / "text.png")
    assert "there is no file" in failure(solution, tmp_path / "missing.png")
    assert "no PNG or JPEG image in the folder" in failure(solution, tmp_path / "folder")


def test_an_enormous_image_is_refused_before_decoding(solution: Solution, tmp_path: Path) -> None:
    Image.new("1", (17000, 1)).save(tmp_path / "long.png")
    told = failure(solution, tmp_path / "long.png")
    assert "is too large: 17000 x 1 pixels; 16384 a side and 67,108,864 in all are the most" in told


def test_a_detector_that_ends_is_told(
    solution: Solution, sample: Image.Image, tmp_path: Path
) -> None:
    sample.save(tmp_path / "image.png")
    quitter = Solution(Native(tmp_path / "missing"), solution.folder)
    assert "cannot start" in failure(quitter, tmp_path / "image.png")
    program = shutil.which("false")
    assert program is not None
    broken = Solution(Native(Path(program)), solution.folder)
    assert "the detector ended with status 1" in failure(broken, tmp_path / "image.png")


VALIDATE = {"threshold": 0.01, "max_detections": 100}


def test_validate_agrees_with_an_independent_scorer(solution: Solution, dataset: Path) -> None:
    answer = solution.answer("validate.py", VALIDATE, dataset)
    truth = json.loads((dataset / "annotations.json").read_text())["annotations"]
    records = json.loads((solution.folder / answer["detections"]).read_text())
    assert answer["images"] == 150
    assert answer["map"] == pytest.approx(mean_average_precision(truth, records), abs=1e-6)
    assert answer["map"] < answer["map50"] <= 1


def test_validate_keeps_stdout_clean(solution: Solution, dataset: Path) -> None:
    assert solution.call("validate.py", VALIDATE, dataset).stdout == ""


def test_no_detection_at_all_scores_zero(solution: Solution, dataset: Path) -> None:
    answer = solution.answer("validate.py", {"threshold": 1.0, "max_detections": 100}, dataset)
    assert (answer["map"], answer["map50"]) == (0.0, 0.0)


def test_one_changed_pixel_is_noticed(solution: Solution, dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    with Image.open(copy / "images" / "00000005.png") as image:
        changed = image.copy()
    red, green, blue = np.asarray(changed)[0, 0].tolist()
    changed.putpixel((0, 0), (red ^ 1, green, blue))
    changed.save(copy / "images" / "00000005.png")
    done = solution.call("validate.py", VALIDATE, copy)
    assert done.returncode == 1
    assert "do not have the pixels of its `pixels.sha256`" in done.stderr
