"""Rows of the official MLPerf results that come with crpack.

Rules (SPEC DSH-04):
- They are facts out of published results, each with its path and the commit of its source.
- SingleStream states the 90th percentile of the latency; MultiStream, which sends several images
  in one query, is a metric of its own. So are streams and queries under a latency bound.
- Their accuracy belongs to the data set of their round, so that it shares no axis with another.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crpack.report.rows import OFFICIAL, Axis, Row, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

COCO, OPEN_IMAGES = "COCO 2017 val", "OpenImages, MLPerf subset"

_LATENCY = {stat: Axis("latency", stat, "ms", "lower", "latency") for stat in ("p50", "p90", "p99")}
_MULTI = Axis("multistream-latency", "p99", "ms", "lower", "latency")
_SPEED = Axis("throughput", "", "1/s", "higher", "throughput")
_SERVER = Axis("server-throughput", "", "1/s", "higher", "throughput")
_STREAMS = Axis("streams", "", "1", "higher", "throughput")
_ENERGY = Axis("query-energy", "", "mJ", "lower", "energy")
_POWER = Axis("power", "", "W", "lower", "energy")
_MEASURED = {
    "SingleStream": _LATENCY["p90"],
    "MultiStream": _MULTI,
    "Offline": _SPEED,
    "Server": _SERVER,
}


def rows(data: bytes) -> tuple[Row, ...]:
    """Return the rows of the file `data/mlperf.json`, in its order."""
    document = json.loads(data)
    sources = {one["id"]: one for one in document["sources"]}
    found: list[Row] = []
    seen: dict[str, int] = {}
    for source, name in (("v0.5", "ssd_mobilenet_v05"), ("later", "object_detection_edge_later")):
        for one in document[name]:
            path = f"{one['round']}/{one['path']}"
            seen[path] = seen.get(path, 0) + 1
            again = f"#{seen[path]}" if seen[path] > 1 else ""
            found.append(_row(one, f"{path}{again}", sources[source]))
    return tuple(found)


def _row(one: dict[str, Any], identity: str, source: dict[str, str]) -> Row:
    path = f"/{one['path']}" if source["id"] == "v0.5" else ""
    address = f"https://{source['repo']}/tree/{source['commit']}{path}"
    texts = {
        "model": one["model"],
        "dataset": _dataset(one),
        "scenario": one["scenario"],
        "submitter": one["submitter"],
        "system": one["system"],
        "processor": one["processor"],
        "accelerator": one.get("accelerator") or "",
        "platform": one.get("os") or "",
        "framework": one["framework"],
        "harness": "loadgen",
        "round": f"MLPerf {one['round']}",
        "division": one["division"],
        "availability": one.get("availability") or one.get("status") or "",
        "source": address,
    }
    return Row(
        id=identity,
        series=OFFICIAL,
        name=f"{one['submitter']}, {one['system']}",
        reasons=() if one.get("valid", True) else ("its submission calls it invalid",),
        values=tuple(_values(one)),
        attributes=tuple((key, text) for key, text in texts.items() if text),
    )


def _values(one: dict[str, Any]) -> Iterator[Value]:
    if one.get("value") is not None:
        axis = _STREAMS if one["metric"] == "streams" else _MEASURED[one["scenario"]]
        yield Value(axis, float(one["value"]))
    for stat in ("p50", "p99"):
        if one["scenario"] == "SingleStream" and one.get(f"{stat}_ms") is not None:
            yield Value(_LATENCY[stat], float(one[f"{stat}_ms"]))
    if one.get("power_result") is not None:
        axis = _ENERGY if one["scenario"] in ("SingleStream", "MultiStream") else _POWER
        yield Value(axis, float(one["power_result"]))
    if one.get("mAP") is not None:
        yield Value(Axis("map", "", "%", "higher", "quality", _dataset(one)), float(one["mAP"]))


def _dataset(one: dict[str, Any]) -> str:
    return OPEN_IMAGES if one["model"] == "retinanet" else COCO
