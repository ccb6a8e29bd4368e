"""Train ssd-mobilenet-shapes: `python train.py --data train.raw --steps 4000 --out weights.bin`.

One thread, fixed steps, fixed seed, deterministic algorithms. The data come from the generator of
shapes-dataset: `shapes --count 12000 --first 0 --raw train.raw`. Validation images have seeds
from 10 000 000 on and are never read here.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from data import Images, batch, read_images
from loss import loss, match
from network import Network
from ssd_shapes import Architecture, anchor_boxes, mobilenet_shapes, write_model


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn."""

    steps: int
    seed: int
    batch: int = 32
    peak: float = 4e-3
    warm_up: float = 0.1  # part of the steps
    decay: float = 1e-4
    clip: float = 5.0
    average: float = 0.995  # of the weights that are kept, each `average_every` steps
    average_every: int = 4

    def rate(self, step: int) -> float:
        """Learning rate: a linear rise, then half a cosine down to zero."""
        rise = max(1, round(self.steps * self.warm_up))
        if step < rise:
            return self.peak * (step + 1) / rise
        return self.peak * 0.5 * (1 + math.cos(math.pi * (step - rise) / (self.steps - rise)))


def deterministic(seed: int) -> None:
    """One thread, one seed, no algorithm that may differ between runs."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)


def move_average(average: Network, network: Network, keep: float) -> None:
    """Move the averaged network towards the present one; counters are copied."""
    with torch.no_grad():
        present = network.state_dict()
        for name, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(present[name], 1 - keep)
            else:
                value.copy_(present[name])


def train(architecture: Architecture, images: Images, schedule: Schedule) -> Network:
    """The averaged network after all steps."""
    deterministic(schedule.seed)
    random = np.random.Generator(np.random.PCG64(schedule.seed))
    network = Network(architecture).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=schedule.decay)
    anchors = torch.from_numpy(anchor_boxes(architecture))
    order = np.empty(0, np.int64)
    for step in range(schedule.steps):
        if len(order) < schedule.batch:
            order = random.permutation(len(images.pixels))
        indices, order = order[: schedule.batch], order[schedule.batch :]
        pixels, boxes, labels = batch(images, indices, random)
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        targets = match(anchors, architecture.variances, boxes, labels)
        value = loss(*network(pixels.contiguous(memory_format=torch.channels_last)), targets)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimiser.step()
        if step % schedule.average_every == 0:
            # Early on the average forgets faster, so that the start leaves no trace.
            passed = step / schedule.average_every
            keep = min(schedule.average, (1 + passed) / (10 + passed))
            move_average(average, network, keep)
        if step % 100 == 0 or step == schedule.steps - 1:
            spent = time.process_time()
            print(f"step {step:5d}  loss {value.item():.4f}  CPU {spent:.0f} s", flush=True)
    return average.eval()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the detector on generated images.")
    parser.add_argument("--data", required=True, help="the file that `shapes --raw` wrote")
    parser.add_argument("--steps", type=int, required=True, help="number of batches of 32 images")
    parser.add_argument("--side", type=int, default=128, help="of the input, in pixels")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", required=True, help="the weights file to write")
    return parser.parse_args()


def main() -> None:
    """Train and write the weights."""
    options = arguments()
    architecture = mobilenet_shapes(options.side)
    images = read_images(options.data, architecture.side)
    network = train(architecture, images, Schedule(steps=options.steps, seed=options.seed))
    write_model(options.out, architecture, network.arrays())


if __name__ == "__main__":
    main()
