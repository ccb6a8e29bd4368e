"""The detector with codecs: Pillow's pixels, pycocotools' numbers, and no harm from any file."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.tools.flagship import NETWORK, RECIPES, SOLUTION, Native, generate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ("annotations.json", "detections.json")


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled ssd-native with codecs, and what it is started by."""

    argv: tuple[str, ...]

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run it with some words."""
        argv = [*self.argv, *map(str, words)]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)

    def detect(self, *words: object) -> list[dict[str, Any]]:
        """The records of a run that succeeds."""
        done = self.run("detect", "--model", NETWORK, *words)
        assert done.returncode == 0, done.stderr
        records: list[dict[str, Any]] = json.loads(done.stdout)
        return records

    def fault(self, *words: object, status: int = 1) -> str:
        """What a run that fails says: one sentence; no sanitizer spoke."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert done.stderr.startswith("ssd-native: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    def score(self, truth: Path, found: Path) -> dict[str, Any]:
        """The answer of `score`."""
        done = self.run("score", "--annotations", truth, "--detections", found)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture(scope="session")
def program(sanitized: Native, codecs: str) -> Program:
    """The program with codecs: with each answer, its memory is watched."""
    if codecs == "none":
        pytest.skip("needs the headers of libpng, zlib and libjpeg")
    return Program((str(sanitized.program),))


@pytest.fixture(scope="session")
def validation(generator: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 50 images that the solution is validated on."""
    return generate(generator, tmp_path_factory.mktemp("validation"), 50, 10_000_000)


@pytest.fixture
def sample(dataset: Path) -> Image.Image:
    with Image.open(dataset / "images" / "00000002.png") as image:
        return image.convert("RGB")


@pytest.fixture
def python_pixels(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], NDArray[np.uint8]]:
    """How the solution's Python reads an image."""
    monkeypatch.syspath_prepend(str(SOLUTION / "programs"))
    from images import read_image  # type: ignore[import-not-found, unused-ignore]

    return lambda path: np.asarray(read_image(str(path)))


def digest_of(folder: Path, images: list[NDArray[np.uint8]]) -> Path:
    """A file with the digest of some pixels."""
    import hashlib

    digest = hashlib.sha256()
    for image in images:
        height, width, _ = image.shape
        digest.update(struct.pack("<II", width, height) + image.tobytes())
    (folder / "pixels.sha256").write_text(digest.hexdigest() + "\n")
    return folder / "pixels.sha256"


def assert_same_pixels(program: Program, file: Path, pixels: NDArray[np.uint8]) -> None:
    """The program decodes a file to these very pixels."""
    listed = {"images": [{"id": 1, "file_name": file.name}]}
    truth = file.parent / f"{file.name}.json"
    truth.write_text(json.dumps(listed))
    digest = digest_of(file.parent, [pixels])
    program.detect("--annotations", truth, "--pixels", digest, file.parent)


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip


def png(width: int, height: int, depth: int, colour: int, *, interlaced: bool = False,
        extra: bytes = b"", seed: int = 5) -> bytes:  # fmt: skip
    """A PNG file of any kind with random samples, which Pillow itself cannot all write."""
    rng = np.random.default_rng(seed)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    samples = rng.integers(0, 1 << depth, (height, width, channels))

    def rows(part: NDArray[np.int64]) -> bytes:
        lines = b""
        for row in part:
            bits = "".join(f"{int(value):0{depth}b}" for value in row.ravel())
            bits += "0" * (-len(bits) % 8)
            lines += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        return lines

    parts = [samples[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [samples]
    data = b"".join(rows(part) for part in parts if part.size)
    palette = rng.integers(0, 256, 3 << depth).astype(np.uint8).tobytes() if colour == 3 else b""
    return b"".join((
        SIGNATURE,
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)),
        chunk(b"PLTE", palette) if palette else b"",
        extra,
        chunk(b"IDAT", zlib.compress(data)),
        chunk(b"IEND", b""),
    ))  # fmt: skip


KINDS = [
    (0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8),
    (4, 8), (4, 16), (6, 8), (6, 16),
]  # fmt: skip


@pytest.mark.parametrize("interlaced", [False, True])
def test_every_kind_of_png_has_the_pixels_of_pillow(
    program: Program, tmp_path: Path, python_pixels: Any, *, interlaced: bool
) -> None:
    images, listed = [], []
    for number, (colour, depth) in enumerate(KINDS):
        for width, height in ((1, 1), (13, 9), (32, 5)):
            file = tmp_path / f"{colour}-{depth}-{width}.png"
            file.write_bytes(png(width, height, depth, colour, interlaced=interlaced))
            images.append(python_pixels(file))
            listed.append({"id": number, "file_name": file.name})
    (tmp_path / "list.json").write_text(json.dumps({"images": listed}))
    digest = digest_of(tmp_path, images)
    program.detect("--annotations", tmp_path / "list.json", "--pixels", digest, tmp_path)


@pytest.mark.parametrize(
    ("colour", "depth", "data"),
    [(0, 8, b"\0\x2a"), (0, 1, b"\0\1"), (2, 8, b"\0\1\0\2\0\3"), (3, 4, bytes(range(0, 240, 20)))],
)
def test_a_transparent_colour_becomes_white(
    program: Program, tmp_path: Path, python_pixels: Any, *, colour: int, depth: int, data: bytes
) -> None:
    (tmp_path / "a.png").write_bytes(png(20, 20, depth, colour, extra=chunk(b"tRNS", data)))
    assert_same_pixels(program, tmp_path / "a.png", python_pixels(tmp_path / "a.png"))


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_jpeg_has_the_pixels_of_pillow(
    program: Program, sample: Image.Image, tmp_path: Path, python_pixels: Any, *, quality: int,
    sampling: int,
) -> None:  # fmt: skip
    for kind, image in {"rgb": sample, "grey": sample.convert("L")}.items():
        for progressive in (False, True):
            file = tmp_path / f"{kind}{progressive}.jpg"
            image.save(file, quality=quality, subsampling=sampling, progressive=progressive)
            assert_same_pixels(program, file, python_pixels(file))


def test_a_jpeg_of_four_inks_is_mixed_as_pillow_mixes_it(
    program: Program, sample: Image.Image, tmp_path: Path, python_pixels: Any
) -> None:
    file = tmp_path / "inks.jpg"
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 4)).astype(np.uint8)
    Image.fromarray(noise, "CMYK").save(file)
    assert_same_pixels(program, file, python_pixels(file))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_photographs_are_set_upright(
    program: Program, tmp_path: Path, python_pixels: Any, orientation: int, suffix: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise = np.random.default_rng(1).integers(0, 256, (9, 23, 3)).astype(np.uint8)
    file = tmp_path / f"turned.{suffix}"
    Image.fromarray(noise).save(file, exif=exif)
    assert_same_pixels(program, file, python_pixels(file))
    big = bytearray(
        b"MM\0\x2a\0\0\0\x08\0\1" + struct.pack(">HHIHHI", 0x0112, 3, 1, orientation, 0, 0)
    )
    Image.fromarray(noise).save(file, exif=b"Exif\0\0" + bytes(big))
    assert_same_pixels(program, file, python_pixels(file))


def test_other_pixels_are_noticed(program: Program, sample: Image.Image, tmp_path: Path) -> None:
    sample.save(tmp_path / "a.png")
    other = np.array(sample)
    other[3, 4, 1] ^= 1
    (tmp_path / "list.json").write_text('{"images":[{"id":7,"file_name":"a.png"}]}')
    told = program.fault(
        "detect", "--model", NETWORK, "--annotations", tmp_path / "list.json",
        "--pixels", digest_of(tmp_path, [other]), tmp_path,
    )  # fmt: skip
    assert "do not have the pixels of" in told


# Hostile files


def test_damaged_pngs_and_jpegs_do_no_harm(
    program: Program, sample: Image.Image, tmp_path: Path
) -> None:
    rng = random.Random(1)  # noqa: S311
    folder = tmp_path / "damaged"
    folder.mkdir()
    for number, kind in enumerate(("png", "jpg", "progressive.jpg", "adam.png")):
        whole = io.BytesIO()
        if kind == "adam.png":
            whole.write(png(40, 30, 8, 6, interlaced=True))
        else:
            small = sample.resize((48, 40))
            small.save(whole, "JPEG" if "jpg" in kind else "PNG", progressive="prog" in kind)
        for copy in range(40):
            data = bytearray(whole.getvalue())
            for _ in range(rng.randrange(1, 12)):
                data[rng.randrange(8 if copy % 2 else 0, len(data))] = rng.randrange(256)
            if copy % 3 == 0:
                del data[rng.randrange(len(data)) :]
            (folder / f"{copy}-{number}.{kind}").write_bytes(data)
    sample.save(folder / "good.png")
    done = program.run("detect", "--model", NETWORK, "--summary", folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["images"] + len(answer["skipped"]) == 161
    assert len(answer["skipped"]) > 60
    assert len(done.stderr.splitlines()) == 161


def test_a_truncated_file_is_one_sentence(
    program: Program, sample: Image.Image, tmp_path: Path
) -> None:
    for name in ("a.png", "a.jpg", "p.jpg"):
        file = tmp_path / name
        sample.save(file, progressive=name.startswith("p"))
        whole = file.read_bytes()
        for size in (len(whole) - 1, len(whole) // 2, 30):
            file.write_bytes(whole[:size])
            told = program.fault("detect", "--model", NETWORK, file)
            assert f"`{file}` is broken: " in told


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is not a PNG or JPEG image"),
        (b"GIF89a" + bytes(100), "is not a PNG or JPEG image"),
        (SIGNATURE, "is broken: the file ends too early"),
        (b"\xff\xd8\xff", "is broken: the file ends too early"),
        (SIGNATURE + b"\xff" * 100, "is broken: "),
        (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0)), "is broken: "),
        (png(4, 4, 8, 3).replace(b"PLTE", b"pLTE"), "is broken: "),
        (png(4, 4, 8, 2)[:-20] + b"\0" * 20, "is broken: "),
    ],
)
def test_what_is_no_image_is_one_sentence(
    program: Program, tmp_path: Path, data: bytes, words: str
) -> None:
    (tmp_path / "x.png").write_bytes(data)
    assert words in program.fault("detect", "--model", NETWORK, tmp_path / "x.png")


@pytest.mark.parametrize(("width", "height"), [(17000, 1), (16384, 16384), (2**31 - 1, 2**31 - 1)])
def test_an_enormous_image_is_refused_before_decoding(
    program: Program, tmp_path: Path, width: int, height: int
) -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    (tmp_path / "x.png").write_bytes(SIGNATURE + head + chunk(b"IDAT", b"x") + chunk(b"IEND", b""))
    told = program.fault("detect", "--model", NETWORK, tmp_path / "x.png")
    assert "is too large: " in told
    if width < 2**16:
        Image.new("L", (8, 8)).save(tmp_path / "x.jpg")
        data = bytearray((tmp_path / "x.jpg").read_bytes())
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", height, width)
        (tmp_path / "x.jpg").write_bytes(data)
        assert "is too large: " in program.fault("detect", "--model", NETWORK, tmp_path / "x.jpg")


def test_a_jpeg_of_many_scans_is_refused(
    program: Program, sample: Image.Image, tmp_path: Path
) -> None:
    sample.save(tmp_path / "x.jpg", progressive=True)
    data = (tmp_path / "x.jpg").read_bytes()
    scan = data.rindex(b"\xff\xda")
    (tmp_path / "x.jpg").write_bytes(data[:-2] + data[scan:-2] * 600 + data[-2:])
    told = program.fault("detect", "--model", NETWORK, tmp_path / "x.jpg")
    assert "has more than 500 scans" in told


@pytest.mark.parametrize("seed", range(6))
def test_damaged_exif_does_no_harm(program: Program, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    exif = Image.Exif()
    exif[0x0112] = 6
    data = bytearray(exif.tobytes())
    for _ in range(4):
        data[rng.randrange(len(data))] = rng.choice((0, 255, rng.randrange(256)))
    Image.new("RGB", (5, 3)).save(tmp_path / "x.jpg", exif=b"Exif\0\0" + bytes(data))
    assert program.detect(tmp_path / "x.jpg", "--threshold", "1") == []


# The command


def test_the_self_test_reads_images_too(program: Program) -> None:
    assert program.run("--self-test").stdout == "ok\n"


def test_records_of_a_folder_name_files_and_categories(
    program: Program, sample: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "é"
    (folder / "folder.png").mkdir(parents=True)
    sample.save(folder / "b.png")
    sample.save(folder / 'a"\n.JPG', "JPEG", quality=95)
    (folder / "notes.txt").write_text("not looked at")
    (folder / "text.jpg").write_text("no image")
    done = program.run("detect", "--model", NETWORK, "--summary", folder)
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["images"] == 2
    assert [skip["file_name"] for skip in answer["skipped"]] == ["text.jpg"]
    assert "is not a PNG or JPEG image" in answer["skipped"][0]["reason"]
    names = {
        c["id"]: c["name"] for c in json.loads((NETWORK / "model.json").read_text())["categories"]
    }
    assert {r["file_name"]: r["image_id"] for r in answer["detections"]} == {
        'a"\n.JPG': 0,
        "b.png": 1,
    }
    assert all(r["category"] == names[r["category_id"]] for r in answer["detections"])
    assert done.stderr.splitlines()[0].startswith('a"\\x0a.JPG: ')


def test_a_run_that_fails_leaves_no_output(program: Program, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no image")
    output = tmp_path / "records.json"
    program.fault("detect", "--model", NETWORK, "--output", output, tmp_path / "x.png")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    wrong = tmp_path / "missing" / "records.json"
    told = program.fault("detect", "--model", NETWORK, "--output", wrong, tmp_path / "x.png")
    assert f"cannot write `{wrong}`" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["detect"], "`--model DIR` is needed"),
        (["detect", "--model", "m"], "an image or a folder of images is needed"),
        (["detect", "--model"], "`--model` needs a value"),
        (["detect", "--model", "m", "--what", "a.png"], "unknown option `--what`"),
        (["detect", "--model", "m", "--threshold", "2", "a.png"], "takes a number from 0 to 1"),
        (["detect", "--model", "m", "--annotations", "a", "b", "c"], "one folder of images"),
        (["detect", "--model", "m", "--pixels", "a", "b"], "`--pixels` needs `--annotations`"),
        (["score", "--annotations", "a"], "are needed"),
        (["score", "more"], "unknown option `more`"),
        (["paint"], "the first word is"),
        ([], "the first word is"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    program: Program, words: list[str], told: str
) -> None:
    assert told in program.fault(*words, status=2)


def test_files_that_are_not_there_are_one_sentence(program: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, words in {
        "missing.png": "there is no file",
        "empty": "no PNG or JPEG image in the folder",
    }.items():
        assert words in program.fault("detect", "--model", NETWORK, tmp_path / place)
    told = program.fault("detect", "--model", tmp_path, tmp_path)
    assert f"cannot read `{tmp_path}/weights.bin`" in told


def test_without_codecs_the_commands_say_so(native: Any) -> None:
    done = subprocess.run([native.program, "detect"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "was made without codecs" in done.stderr


# The score


def reference(truth: Path, found: Path) -> tuple[float, float]:
    """The numbers of pycocotools."""
    with contextlib.redirect_stdout(io.StringIO()):
        annotations = COCO(str(truth))
        evaluation = COCOeval(annotations, annotations.loadRes(str(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def test_a_bare_board_validates_itself_as_python_does(
    program: Program, validation: Path, tmp_path: Path
) -> None:
    truth, found = validation / "annotations.json", tmp_path / "found.json"
    words = ["--threshold", "0.01", "--pixels", validation / "pixels.sha256", "--output", found]
    done = program.run(
        "detect", "--model", NETWORK, "--annotations", truth, *words, validation / "images"
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    answer = program.score(truth, found)
    precision, precision_50 = reference(truth, found)
    assert answer["map"] == pytest.approx(precision, abs=1e-6)
    assert answer["map50"] == pytest.approx(precision_50, abs=1e-6)
    assert answer["map"] == pytest.approx(0.9, abs=0.001)
    assert (answer["images"], answer["detections"]) == (50, str(found))


def test_records_are_those_of_the_python_side(
    program: Program, native: Any, validation: Path
) -> None:
    truth = json.loads((validation / "annotations.json").read_text())
    files = [validation / "images" / image["file_name"] for image in truth["images"]]
    answers = native.detect([np.asarray(Image.open(file)) for file in files], "--threshold", "0.01")
    expected = [
        {"image_id": image["id"], **record}
        for image, own in zip(truth["images"], answers, strict=True)
        for record in own
    ]
    words = ["--annotations", validation / "annotations.json", "--threshold", "0.01"]
    assert program.detect(*words, validation / "images") == expected


@pytest.mark.parametrize("seed", range(8))
def test_random_results_score_as_pycocotools_scores_them(
    program: Program, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311

    def near(box: list[float]) -> list[float]:
        return [round(max(0.0, side + rng.gauss(0, 3)), rng.randrange(3)) for side in box]

    images = [{"id": 3 * i + 1, "file_name": f"{i}.png"} for i in range(12)]
    annotations, results = [], []
    for number in range(120):
        box = [round(rng.uniform(1, 90), 1) for _ in range(4)]
        place = {"image_id": rng.choice(images)["id"], "category_id": rng.randrange(1, 5)}
        area = rng.choice([box[2] * box[3]] * 20 + [2e10])
        crowd = int(rng.random() < 0.1)
        annotations.append({"id": number + 1, **place, "bbox": box, "area": area, "iscrowd": crowd})
        for _ in range(rng.randrange(4)):
            score = round(rng.random(), rng.randrange(1, 4))
            results.append({**place, "bbox": near(box), "score": score})
    crowded = {"image_id": 1, "category_id": 2, "bbox": [5, 5, 9, 9]}
    results += [{**crowded, "score": round(rng.random(), 2)} for _ in range(130)]
    results += [{"image_id": 1, "category_id": 99, "bbox": [5, 5, 9, 9], "score": 0.5}]
    results += [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1e6, 1e6], "score": 0.99}]
    rng.shuffle(results)
    categories = [{"id": i, "name": str(i)} for i in range(1, 8)]
    truth, found = (tmp_path / name for name in NAMES)
    truth.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    found.write_text(json.dumps(results))
    answer = program.score(truth, found)
    precision, precision_50 = reference(truth, found)
    assert answer["map"] == pytest.approx(precision, abs=1e-6)
    assert answer["map50"] == pytest.approx(precision_50, abs=1e-6)


TRUTH = (
    '{"images":[{"id":1,"file_name":"a"}],"categories":[{"id":1,"name":"\\u00e9\\ud83d\\ude00"}],'
    '"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,4,4],"area":16,"iscrowd":0}]}'
)


def test_no_result_at_all_scores_zero(program: Program, tmp_path: Path) -> None:
    truth, found = (tmp_path / name for name in NAMES)
    truth.write_text(TRUTH)
    found.write_text("[]")
    answer = program.score(truth, found)
    assert (answer["map"], answer["map50"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("truth", "found", "words"),
    [
        ("", "[]", "line 1: `{` is missing"),
        ("{}", "[]", "lists no images"),
        (TRUTH[:-1], "[]", "`,` is missing"),
        (TRUTH + "x", "[]", "something follows its end"),
        (TRUTH.replace("annotations", "x"), "[]", "no object to score against"),
        (TRUTH.replace("[0,0,4,4]", "[0,0,4]"), "[]", "fewer than four"),
        (TRUTH.replace("[0,0,4,4]", "[0,0,4,4,4]"), "[]", "more than four"),
        (TRUTH.replace("ud83d", "ug83d"), "[]", "an escape in a text is wrong"),
        (TRUTH.replace('"area":16,', ""), "[]", "is not complete"),
        (TRUTH.replace('"id":1,"name"', '"name"'), "[]", "`id` or `name` is missing"),
        ('{"a":' + "[" * 5000, "[]", "nested too deeply"),
        (TRUTH, "[{}]", "line 1: a record before here is not complete"),
        (TRUTH, '\n\n[{"image_id":NaN}]', "line 3: a number is missing"),
        (TRUTH, '[{"image_id":0x10}]', "is missing"),
        (TRUTH, '[{"image_id":1.5}]', "a whole number is missing"),
        (TRUTH, '[{"score":1e999}]', "too large"),
        (TRUTH, '[{"score":"\x01"}]', "a number is missing"),
        (TRUTH, '[{"x":"a', "a text does not end"),
        (
            TRUTH,
            '[{"image_id":2,"category_id":1,"bbox":[0,0,1,1],"score":0.1}]',
            "the image 2, which the annotations do not list",
        ),
    ],
)
def test_a_bad_file_of_annotations_or_results_is_one_sentence(
    program: Program, tmp_path: Path, truth: str, found: str, words: str
) -> None:
    paths = [tmp_path / name for name in NAMES]
    paths[0].write_text(truth)
    paths[1].write_text(found)
    told = program.fault("score", "--annotations", paths[0], "--detections", paths[1])
    assert words in told


@pytest.mark.parametrize("seed", range(4))
def test_damaged_annotations_do_no_harm(program: Program, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    truth, found = (tmp_path / name for name in NAMES)
    found.write_text('[{"image_id":1,"category_id":1,"bbox":[0,0,1,1],"score":0.1}]')
    for _ in range(12):
        data = bytearray(TRUTH.encode())
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.choice(b'"\\[]{},:0-e\xff\x00u')
        truth.write_bytes(data)
        done = program.run("score", "--annotations", truth, "--detections", found)
        assert done.returncode in (0, 1), done.stderr
        assert done.stderr.count("\n") == 1


# Elsewhere

MIRROR = RECIPES.parent / ".mirror"
CLOSURE = ("program", "dataset", "model", "software")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "triple", "emulator"),
    [
        ("linux-aarch64-gnu", "aarch64-linux-gnu", "qemu-aarch64"),
        ("linux-armv7-gnu", "arm-linux-gnueabihf", "qemu-arm"),
    ],
)
def test_a_prefix_for_a_board_validates_itself_there(
    tmp_path: Path, platform: str, triple: str, emulator: str
) -> None:
    if not MIRROR.is_dir() or not shutil.which(f"{triple}-g++") or not shutil.which(emulator):
        pytest.skip(f"needs `make mirror`, {triple}-g++ and {emulator}")

    def crpack(*words: object) -> None:
        argv = [sys.executable, "-m", "crpack", *map(str, words)]
        places = {"CRPACK_HOME": str(tmp_path / "home"), "CRPACK_SOURCE_MIRROR": str(MIRROR)}
        subprocess.run(argv, env={**os.environ, **places}, cwd=tmp_path, check=True)

    folders = [word for name in CLOSURE for word in ("--with", RECIPES / name)]
    name = "object-detection-shapes-native"
    crpack("build", RECIPES / "solution" / name, "--unsigned", "--full", *folders)
    (archive,) = tmp_path.glob("*.crpkg")
    crpack("install", archive, "--allow-unsigned", "--platform", platform)
    moved = tmp_path / "moved prefix"
    (tmp_path / "home").rename(moved)
    root = moved / "data" / "solutions" / name / "current" / "root"
    images, found = root / "shapes-dataset", tmp_path / "found.json"
    board = Program((emulator, "-L", f"/usr/{triple}", str(root / "ssd-native/bin/ssd-native")))
    words = ["--threshold", "0.01", "--pixels", images / "pixels.sha256", "--output", found]
    truth = images / "annotations.json"
    done = board.run(
        "detect", "--model", NETWORK, "--annotations", truth, *words, images / "images"
    )
    assert done.returncode == 0, done.stderr
    assert board.score(truth, found)["map"] == pytest.approx(0.9, abs=0.001)
