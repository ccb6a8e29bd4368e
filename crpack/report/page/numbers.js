// Numbers as people read them: formats, units, and the marks of an axis.
"use strict";
(function (crpack) {
  const UNITS = { 1: "", "1/s": "per s", By: "", "%": "%" };
  const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

  // Four digits that matter, zeros at the end only in columns; thin spaces between thousands.
  function format(value, unit, column) {
    if (!Number.isFinite(value)) return "–";
    if (unit === "By") return bytes(value);
    const size = Math.abs(value);
    if (size !== 0 && (size >= 1e9 || size < 1e-4)) return value.toExponential(2).replace("e+", "e");
    const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
    return grouped(column ? value.toFixed(digits) : trimmed(value.toFixed(digits)));
  }

  function bytes(value) {
    let step = 0;
    let size = Math.abs(value);
    while (size >= 1024 && step < BYTES.length - 1) {
      size /= 1024;
      step += 1;
    }
    const digits = step && size < 100 ? 1 : 0;
    return `${value < 0 ? "-" : ""}${trimmed(size.toFixed(digits))} ${BYTES[step]}`;
  }

  // What round numbers are counted in: bytes in the unit that the greatest is told in.
  function step(high, unit) {
    if (unit !== "By" || !(high >= 1024)) return 1;
    return 1024 ** Math.min(BYTES.length - 1, Math.floor(Math.log2(high) / 10));
  }

  function trimmed(text) {
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }

  function grouped(text) {
    const [whole, part] = text.split(".");
    const spaced = whole.replace(/^-/, "").length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u2009") : whole;
    return part === undefined ? spaced : `${spaced}.${part}`;
  }

  function withUnit(value, axis) {
    const unit = unitName(axis);
    return Number.isFinite(value) && unit ? `${format(value, axis.unit)} ${unit}` : format(value, axis.unit);
  }

  function unitName(axis) {
    return axis.unit in UNITS ? UNITS[axis.unit] : axis.unit.replace(/[{}]/g, "");
  }

  // What an axis is called: `latency p90`, `map of shapes-dataset 1.0`.
  function title(axis) {
    const name = [axis.name.replace(/[_-]/g, " "), axis.stat].filter(Boolean).join(" ");
    return axis.of ? `${name} of ${axis.of}` : name;
  }

  function described(axis) {
    const unit = unitName(axis) || (axis.unit === "By" ? "bytes" : "");
    return `${title(axis)}${unit ? `, ${unit}` : ""}`;
  }

  function better(axis) {
    return axis.direction === "lower" ? "lower is better" : "higher is better";
  }

  // The ends of an axis, with a little room on both sides.
  function domain(values, log) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) return log ? [1, 10] : [0, 1];
    if (log) {
      const room = Math.max(Math.log10(high / low) * 0.06, 0.02);
      return [low / 10 ** room, high * 10 ** room];
    }
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
  }

  const STEPS = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 5, 7], [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]];

  // At most `most` marks on round numbers. A narrow logarithmic axis falls back to even steps.
  function ticks([low, high], log, most) {
    if (!log) return even(low, high, most);
    const every = STEPS.map((steps) => decades(low, high, steps));
    if (every[0].length > most) return thinned(every[0], most);
    const fitting = every.filter((found) => found.length <= most);
    const found = fitting.find((one) => one.length >= 4) || fitting.at(-1);
    return found.length >= 3 ? found : even(low, high, most);
  }

  // The texts of marks: on an even axis all with the same number of decimals.
  function labels(values, unit, log) {
    const texts = values.map((value) => format(value, unit));
    const step = Math.abs(values[1] - values[0]);
    if ((log && values.at(-1) >= 10 * values[0]) || unit === "By" || !(step > 1e-9) || texts.some((text) => text.includes("e"))) return texts;
    const exact = (decimals) => values.every((one) => Math.abs(Number(one.toFixed(decimals)) - one) < step / 100);
    let decimals = 0;
    while (!exact(decimals)) decimals += 1;
    return values.map((value) => grouped(value.toFixed(decimals)));
  }

  function decades(low, high, steps) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const step of steps) {
        const value = Number((step * 10 ** power).toPrecision(12));
        if (value >= low && value <= high) found.push(value);
      }
    }
    return found;
  }

  function thinned(found, most) {
    const stride = Math.ceil(found.length / most);
    return found.filter((_, place) => place % stride === 0);
  }

  function even(low, high, most) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough) * power;
    const found = [];
    for (let place = Math.ceil(low / step); place * step <= high; place += 1) {
      found.push(Number((place * step).toPrecision(12)));
    }
    return found;
  }

  crpack.numbers = { format, withUnit, unitName, title, described, better, domain, ticks, labels, step };
})((window.crpack = window.crpack || {}));
