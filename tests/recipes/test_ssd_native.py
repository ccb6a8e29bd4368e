"""The engine: it agrees with another one, and no input makes it misbehave."""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.tools.coco_map import mean_average_precision, overlap
from tests.tools.flagship import WEIGHTS, Native, frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

ANCHORS, CLASSES = 1344, 10


def noise(height: int, width: int) -> NDArray[np.uint8]:
    values = np.random.default_rng(7).integers(0, 256, (height, width, 3))
    return values.astype(np.uint8)


def load(dataset: Path, count: int) -> list[NDArray[np.uint8]]:
    files = sorted((dataset / "images").iterdir())[:count]
    return [np.asarray(Image.open(file)) for file in files]


@pytest.fixture(scope="session")
def small() -> bytes:
    """A frame for runs whose answer does not matter."""
    return frame(noise(9, 7))


def test_logits_agree_with_onnxruntime(
    native: Native, dataset: Path, ssd_shapes: Any, model_module: Callable[[str], Any]
) -> None:
    images = [*load(dataset, 6), noise(1, 1), noise(20, 300), noise(480, 640)]
    ours = native.logits(images)
    model = model_module("export_onnx").export(*ssd_shapes.read_model(str(WEIGHTS)))
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=providers)
    for image, values in zip(images, ours, strict=True):
        inputs = {"image": ssd_shapes.resize(image, 128)[None]}
        scores, boxes = session.run(["scores", "boxes"], inputs)
        assert (scores.shape, boxes.shape) == ((1, ANCHORS, CLASSES), (1, ANCHORS, 4))
        theirs = np.concatenate([scores.ravel(), boxes.ravel()])
        assert np.abs(theirs - values).max() < 1e-4


def plain_detections(
    logits: NDArray[np.float32], boxes: NDArray[np.float32], threshold: float
) -> list[tuple[int, float, list[float]]]:
    """Category, score and box by the textbook: class by class, best first, IoU at most 0.5."""
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    found = []
    for category in range(scores.shape[1]):
        kept: list[list[float]] = []
        for anchor in np.argsort(-scores[:, category], kind="stable"):
            score = float(scores[anchor, category])
            box = boxes[anchor].tolist()
            if score >= threshold and all(overlap(box, other) <= 0.5 for other in kept):
                kept.append(box)
                found.append((category + 1, score, box))
    return sorted(found, key=lambda item: -item[1])


def test_detections_follow_from_the_logits(native: Native, dataset: Path, ssd_shapes: Any) -> None:
    architecture, _ = ssd_shapes.read_model(str(WEIGHTS))
    images = load(dataset, 5)
    answers = native.detect(images, "--threshold", "0.25")
    for image, values, answer in zip(images, native.logits(images), answers, strict=True):
        height, width, _ = image.shape
        logits, offsets = np.split(values, [ANCHORS * CLASSES])
        boxes = ssd_shapes.decode_boxes(architecture, offsets.reshape(-1, 4))
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1).clip(0, 1)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        boxes = boxes * [width, height, width, height]
        plain = plain_detections(logits.reshape(-1, CLASSES), boxes, 0.25)
        assert [item[0] for item in plain] == [found["category_id"] for found in answer]
        for (_, score, box), found in zip(plain, answer, strict=True):
            assert found["score"] == pytest.approx(score, abs=2e-5)
            assert found["bbox"] == pytest.approx(box, abs=0.02)


def test_unseen_images_score_as_the_recipe_says(native: Native, dataset: Path) -> None:
    truth = json.loads((dataset / "annotations.json").read_text())
    answers = native.detect(load(dataset, 150), "--threshold", "0.01")
    records: list[dict[str, Any]] = [
        found | {"image_id": image} for image, own in enumerate(answers) for found in own
    ]
    assert mean_average_precision(truth["annotations"], records) == pytest.approx(0.88, abs=0.03)


@pytest.mark.parametrize("size", [(1, 1), (90, 128), (240, 171), (700, 35)])
def test_resizing_is_the_usual_bilinear_filter(ssd_shapes: Any, size: tuple[int, int]) -> None:
    image = noise(*size)
    usual = Image.fromarray(image).resize((128, 128), Image.Resampling.BILINEAR)
    assert np.abs(ssd_shapes.resize(image, 128).astype(int) - np.asarray(usual)).max() <= 1


def test_flags_shape_the_answer(native: Native, dataset: Path) -> None:
    images = load(dataset, 8)
    everything = native.detect(images, "--threshold", "0.02")
    some = native.detect(images, "--threshold", "0.5")
    few = native.detect(images, "--threshold", "0.02", "--max-detections", "2")
    for all_of_it, sure, two in zip(everything, some, few, strict=True):
        scores = [found["score"] for found in all_of_it]
        assert scores == sorted(scores, reverse=True)
        assert sure == [found for found in all_of_it if found["score"] >= 0.5]
        assert two == all_of_it[:2]
    assert sum(map(len, some)) < sum(map(len, everything))


def test_no_frames_are_no_answers(native: Native) -> None:
    done = native.run(b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def assert_clean(done: Any, codes: set[int]) -> None:
    """The run ended as it should: a failure is one sentence, and no sanitizer spoke."""
    assert done.returncode in codes, done.stderr.decode(errors="replace")
    if done.returncode:
        assert done.stderr.startswith(b"ssd-native: ")
        assert done.stderr.count(b"\n") == 1


def test_the_self_test_is_free_of_undefined_behaviour(sanitized: Native, dataset: Path) -> None:
    assert sanitized.run(b"", "--self-test").stdout == b"ok\n"
    images = [*load(dataset, 2), noise(1, 1), noise(1, 900), noise(900, 1)]
    assert len(sanitized.detect(images, "--threshold", "0")) == len(images)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"SS", "inside a frame's header"),
        (b"SSDF" + struct.pack("<I", 4), "inside a frame's header"),
        (b"PNG!" + struct.pack("<II", 4, 4) + bytes(48), "does not begin with `SSDF`"),
        (b"SSDF" + struct.pack("<II", 4, 4) + bytes(47), "ends inside a frame"),
        (b"SSDF" + struct.pack("<II", 0, 4), "0 x 4 pixels"),
        (b"SSDF" + struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF), "4294967295 x 4294967295"),
        (b"SSDF" + struct.pack("<II", 16384, 16384), "16384 x 16384"),
    ],
)
def test_a_bad_frame_is_one_sentence(sanitized: Native, data: bytes, words: str) -> None:
    done = sanitized.run(data)
    assert_clean(done, {1})
    assert words in done.stderr.decode()


def test_frames_before_a_bad_one_are_answered(sanitized: Native, small: bytes) -> None:
    done = sanitized.run(small + small + b"junk")
    assert_clean(done, {1})
    assert done.stdout.count(b"\n") == 2


HEADER = WEIGHTS.read_bytes()[:576]


def edited(old: bytes, new: bytes) -> bytes:
    """The weights file with a changed header, still padded to 64 bytes."""
    data = WEIGHTS.read_bytes()
    end = data.index(b"\nend\n") + 5
    assert old in data[:end]
    header = data[:end].replace(old, new, 1)
    return header + b"\n" * (-len(header) % 64) + data[end + -end % 64 :]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not begin with `ssd-f32 1`"),
        (b"ssd-f32 1\n" + b"\xff" * 200, "has no `end`"),
        (edited(b"ssd-f32 1", b"ssd-f32 2"), "does not begin with"),
        (edited(b"conv 3 16 2", b"conv 3 -16 2"), "`conv 3 -16 2`"),
        (edited(b"conv 3 16 2", b"conv 3 999999999999 2"), "`conv 3 999999999999 2`"),
        (edited(b"conv 3 16 2", b"conv 3 16 3"), "`conv 3 16 3`"),
        (edited(b"conv 3 16 2", b"conv 3 16 2 9"), "`conv 3 16 2 9`"),
        (edited(b"conv 3 16 2", b"conv\x00 3 16 2"), "`conv? 3 16 2`"),
        (edited(b"depthwise 32 1", b"depthwise 31 1"), "`depthwise 31 1`"),
        (edited(b"pointwise 32 48", b"pointwise 32 4096"), "header line"),
        (edited(b"input 128 128 3", b"input 100000 100000 3"), "`input 100000"),
        (edited(b"input 128 128 3", b"input 100 100 3"), "header line"),
        (edited(b"classes 10", b"classes 0"), "`classes 0`"),
        (edited(b"classes 10\n", b""), "`conv 3 16 2`"),
        (edited(b"variances 0.1 0.2", b"variances 0.1 nan"), "`variances 0.1 nan`"),
        (edited(b"head 96 0.160000", b"head 96 0"), "`head 96 0"),
        (edited(b"head 96 0.160000", b"head 96"), "`head 96"),
        (WEIGHTS.read_bytes()[:-4], "ends before its last number"),
        (WEIGHTS.read_bytes()[:300], "has no `end`"),
        (WEIGHTS.read_bytes()[:576], "ends before its last number"),
        (WEIGHTS.read_bytes() + b"\0", "goes on after its last number"),
        (HEADER + b"\xff" * (len(WEIGHTS.read_bytes()) - 576), "not finite"),
    ],
)
def test_a_bad_weights_file_is_one_sentence(
    sanitized: Native, small: bytes, tmp_path: Path, data: bytes, words: str
) -> None:
    (tmp_path / "weights").write_bytes(data)
    done = sanitized.run(small, weights=tmp_path / "weights")
    assert_clean(done, {1})
    assert words in done.stderr.decode()


def test_a_network_too_large_for_memory_is_refused(
    sanitized: Native, small: bytes, tmp_path: Path
) -> None:
    header = b"ssd-f32 1\ninput 1024 1024 3\nclasses 1\nvariances 1 1\n"
    header += b"pointwise 3 4096\nhead 4096 1 1\nend\n"
    numbers = 4 * 4096 + 10 * 4096 + 4097 + 4 * 4097
    header += b"\n" * (-len(header) % 64)
    (tmp_path / "weights").write_bytes(header + bytes(4 * numbers))
    done = sanitized.run(small, weights=tmp_path / "weights")
    assert_clean(done, {1})
    assert b"1 GiB" in done.stderr


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_of_a_weights_file_do_no_harm(
    sanitized: Native, small: bytes, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    data = bytearray(WEIGHTS.read_bytes())
    for _ in range(40):
        data[rng.randrange(576, len(data))] = rng.randrange(256)
    if seed % 2:
        data[rng.randrange(576)] = rng.randrange(256)
    (tmp_path / "weights").write_bytes(data)
    assert_clean(sanitized.run(small, "--threshold", "0", weights=tmp_path / "weights"), {0, 1})


@pytest.mark.parametrize("place", ["missing", "."])
def test_weights_that_cannot_be_read_are_one_sentence(
    native: Native, small: bytes, tmp_path: Path, place: str
) -> None:
    assert_clean(native.run(small, weights=tmp_path / place), {1})


@pytest.mark.parametrize(
    "flags", [["--threshold", "2"], ["--threshold", "x"], ["--max-detections", "0"], ["--what"]]
)
def test_a_wrong_command_line_is_one_sentence(native: Native, flags: list[str]) -> None:
    assert_clean(native.run(b"", *flags), {2})
