// The scatter: points, bars, Pareto lines and axes on one canvas, and what lies under the pointer.
"use strict";
(function (crpack) {
  const LIGHT = ["#0b6bcb", "#c2570c", "#12805c", "#a8327a", "#6b4fd8", "#7d6400", "#007a87", "#b3261e"];
  const DARK = ["#5aa9ff", "#ff9f4d", "#4ec9a0", "#f07ab8", "#a894ff", "#d9bc4a", "#4dd0e1", "#ff8a80"];
  const SHAPES = ["circle", "diamond", "up", "down", "bar", "circle", "diamond", "up"];
  const REACH = 14; // pixels around a point that belong to it
  const BARRED = 2000; // points that are drawn with bars
  const FONT = '12px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return { ink: color("--ink"), soft: color("--soft"), line: color("--line"), paper: color("--paper"), palette: dark ? DARK : LIGHT };
  }

  // Colour and shape of each value of an attribute: the commonest eight, then grey.
  function styles(key, rows) {
    const one = crpack.data.attribute.get(key);
    const counts = new Map();
    for (const row of rows) counts.set(one.codes[row], (counts.get(one.codes[row]) || 0) + 1);
    const named = [...counts.keys()].filter((code) => code !== 0);
    named.sort((a, b) => counts.get(b) - counts.get(a) || a - b);
    const chosen = named.slice(0, LIGHT.length);
    chosen.sort((a, b) => crpack.model.natural(one.texts[a], one.texts[b]));
    const place = new Map(chosen.map((code, index) => [code, index]));
    const of = (row) => (place.has(one.codes[row]) ? place.get(one.codes[row]) : -1);
    const names = chosen.map((code) => one.texts[code]);
    return { of, names, others: counts.size > chosen.length };
  }

  function mark(context, shape, x, y, size) {
    context.beginPath();
    if (shape === "circle") context.arc(x, y, size, 0, 2 * Math.PI);
    else if (shape === "square") context.rect(x - size, y - size, 2 * size, 2 * size);
    else if (shape === "bar") context.rect(x - size * 0.55, y - size * 1.2, size * 1.1, size * 2.4);
    else {
      const corners = {
        diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
        up: [[0, -1.25], [1.2, 0.95], [-1.2, 0.95]],
        down: [[0, 1.25], [1.2, -0.95], [-1.2, -0.95]],
      }[shape];
      corners.forEach(([dx, dy], place) => context[place ? "lineTo" : "moveTo"](x + dx * size, y + dy * size));
      context.closePath();
    }
  }

  function cross(context, x, y, size) {
    context.beginPath();
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x + size, y - size);
    context.lineTo(x - size, y + size);
    context.stroke();
  }

  // Draw one row as what it is: own filled, official a hollow square, INVALID a cross.
  function symbol(context, row, style, x, y, colors, size) {
    const index = style.of(row);
    const color = index < 0 ? colors.soft : colors.palette[index];
    const kind = crpack.model.isValid(row) ? crpack.data.text(row, "series") : "invalid";
    paint(context, kind, index < 0 ? "circle" : SHAPES[index], x, y, color, colors, size);
  }

  function paint(context, kind, shape, x, y, color, colors, size) {
    context.lineWidth = 1.5;
    if (kind === "invalid") {
      context.strokeStyle = colors.soft;
      cross(context, x, y, size * 0.8);
    } else if (kind === "official") {
      context.strokeStyle = color;
      mark(context, "square", x, y, size * 0.85);
      context.stroke();
    } else {
      context.fillStyle = color;
      mark(context, shape, x, y, size);
      context.fill();
    }
  }

  function frame(width, height) {
    const narrow = width < 560;
    return { left: narrow ? 46 : 64, right: width - (narrow ? 10 : 18), top: 30, bottom: height - 44 };
  }

  function scale([low, high], log, from, to) {
    const move = log ? Math.log : (value) => value;
    const factor = (to - from) / (move(high) - move(low));
    return (value) => from + (move(value) - move(low)) * factor;
  }

  // Draw a view and return where its points are: [row, x, y] in pixels.
  function draw(context, width, height, state, view) {
    const colors = theme();
    const { left, right, top, bottom } = frame(width, height);
    const { x, y, points } = view;
    context.font = FONT;
    context.fillStyle = colors.paper;
    context.fillRect(0, 0, width, height);
    if (!x || !y || !points.length) {
      center(context, colors, width, height, "No result that is left has a number on both axes.");
      return [];
    }
    const pick = (axis) => points.map((row) => axis.values[row]);
    const spans = { x: crpack.numbers.domain(pick(x), state.xlog), y: crpack.numbers.domain(pick(y), state.ylog) };
    const px = scale(spans.x, state.xlog, left, right);
    const py = scale(spans.y, state.ylog, bottom, top);
    grid(context, colors, { left, right, top, bottom }, state, view, spans, px, py);
    context.save();
    context.beginPath();
    context.rect(left - 1, top - 1, right - left + 2, bottom - top + 2);
    context.clip();
    view.lines.forEach((line, series) => steps(context, colors, line, view, { left, right, top, bottom }, px, py, series));
    const style = styles(state.color, points);
    bars(context, colors, state, view, style, px, py);
    const placed = points.map((row) => [row, px(x.values[row]), py(y.values[row])]);
    dots(context, colors, view, style, placed);
    context.restore();
    return placed;
  }

  // Ring a row where it is drawn.
  function ring(context, placed, row, color) {
    const found = placed.find((one) => one[0] === row);
    if (!found) return;
    context.strokeStyle = color;
    context.lineWidth = 2;
    mark(context, "circle", found[1], found[2], 9);
    context.stroke();
  }

  function dots(context, colors, view, style, placed) {
    const size = placed.length > 5000 ? 2.5 : placed.length > 600 ? 3.5 : 4.5;
    const order = [...placed].sort((a, b) => view.onLine.has(a[0]) - view.onLine.has(b[0]));
    for (const [row, x, y] of order) {
      context.globalAlpha = view.onLine.has(row) ? 1 : placed.length > 600 ? 0.35 : 0.6;
      symbol(context, row, style, x, y, colors, size);
    }
    context.globalAlpha = 1;
  }

  function center(context, colors, width, height, text) {
    context.fillStyle = colors.soft;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, width / 2, height / 2, width - 20);
  }

  function grid(context, colors, box, state, view, spans, px, py) {
    const { left, right, top, bottom } = box;
    context.lineWidth = 1;
    context.strokeStyle = colors.line;
    context.fillStyle = colors.soft;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const [value, text] of marks(view.y, spans.y, state.ylog, (bottom - top) / 48)) {
      const at = Math.round(py(value)) + 0.5;
      stroke(context, left, at, right, at);
      context.fillText(text, left - 8, at, left - 10);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const [value, text] of marks(view.x, spans.x, state.xlog, (right - left) / 60)) {
      const at = Math.round(px(value)) + 0.5;
      stroke(context, at, top, at, bottom);
      context.fillText(text, at, bottom + 8);
    }
    context.fillStyle = colors.ink;
    const { described, better } = crpack.numbers;
    context.textAlign = "right";
    context.textBaseline = "bottom";
    context.fillText(fitted(context, `${described(view.x)} · ${better(view.x)}`, right - 8), right, bottom + 42);
    context.textAlign = "left";
    context.fillText(fitted(context, `${described(view.y)} · ${better(view.y)}`, right - 8), 8, top - 12);
  }

  function marks(axis, span, log, most) {
    const size = crpack.numbers.step(span[1], axis.unit);
    const room = Math.max(3, Math.min(8, Math.floor(most)));
    const values = crpack.numbers.ticks(span.map((end) => end / size), log, room).map((one) => one * size);
    const texts = crpack.numbers.labels(values, axis.unit, log);
    return values.map((value, place) => [value, texts[place]]);
  }

  // A text cut so that it fits into some pixels; the end, which tells the direction, stays.
  function fitted(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    const short = text.replace(/ is better$/, "");
    let cut = short.length;
    while (cut > 8 && context.measureText(`${short.slice(0, cut)}…`).width > room) cut -= 1;
    return cut < short.length ? `${short.slice(0, cut)}…` : short;
  }

  function stroke(context, x0, y0, x1, y1) {
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  }

  // The border of what the line's results reach: along each result, then up to the next.
  function steps(context, colors, line, view, box, px, py, series) {
    if (!line.length) return;
    const far = (axis, low, high) => (axis.direction === "lower" ? high : low);
    const worstX = far(view.x, box.left, box.right);
    const worstY = far(view.y, box.bottom, box.top);
    context.beginPath();
    context.moveTo(px(view.x.values[line[0]]), worstY);
    for (let place = 0; place < line.length; place += 1) {
      context.lineTo(px(view.x.values[line[place]]), py(view.y.values[line[place]]));
      const next = place + 1 < line.length ? px(view.x.values[line[place + 1]]) : worstX;
      context.lineTo(next, py(view.y.values[line[place]]));
    }
    context.setLineDash(series ? [5, 4] : []);
    context.lineWidth = 1.5;
    context.strokeStyle = series ? colors.soft : colors.ink;
    context.globalAlpha = 0.75;
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  // The ends of a row's bar on an axis, or null: the interval, or from median to 99th percentile.
  function ends(axis, row, kind) {
    if (kind === "ci" && axis.low) return finite(axis.low[row], axis.high[row]);
    if (kind !== "tail" || axis.kind !== "latency") return null;
    const sibling = (stat) => crpack.data.axes.find((one) =>
      one.name === axis.name && one.stat === stat && one.unit === axis.unit && one.direction === axis.direction);
    const [from, to] = [sibling("p50"), sibling("p99")];
    return from && to ? finite(from.values[row], to.values[row]) : null;
  }

  function finite(low, high) {
    return Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null;
  }

  function bars(context, colors, state, view, style, px, py) {
    if (state.bars === "none" || view.points.length > BARRED) return;
    context.lineWidth = 1;
    context.globalAlpha = 0.5;
    for (const row of view.points) {
      const index = style.of(row);
      context.strokeStyle = index < 0 || !crpack.model.isValid(row) ? colors.soft : colors.palette[index];
      const [x, y] = [px(view.x.values[row]), py(view.y.values[row])];
      const across = ends(view.x, row, state.bars);
      const along = ends(view.y, row, state.bars);
      if (across) whisker(context, px(across[0]), y, px(across[1]), y);
      if (along) whisker(context, x, py(along[0]), x, py(along[1]));
    }
    context.globalAlpha = 1;
  }

  function whisker(context, x0, y0, x1, y1) {
    if (![x0, y0, x1, y1].every(Number.isFinite)) return;
    stroke(context, x0, y0, x1, y1);
    const [dx, dy] = y0 === y1 ? [0, 3] : [3, 0];
    stroke(context, x0 - dx, y0 - dy, x0 + dx, y0 + dy);
    stroke(context, x1 - dx, y1 - dy, x1 + dx, y1 + dy);
  }

  // The row of the nearest point, or -1.
  function nearest(placed, x, y) {
    let best = REACH * REACH;
    let found = -1;
    for (const [row, px, py] of placed) {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < best) [best, found] = [distance, row];
    }
    return found;
  }

  // What the marks mean, as [kind, shape, index of the colour, text].
  function legend(state, view) {
    const own = view.points.filter((row) => !crpack.model.isOfficial(row));
    const style = styles(state.color, view.points);
    const official = view.points.filter(crpack.model.isOfficial);
    const used = new Set(own.filter(crpack.model.isValid).map(style.of));
    const others = new Set(official.filter(crpack.model.isValid).map(style.of));
    const entry = (text, index) => [used.has(index) ? "measured" : "official", SHAPES[index], index, text];
    const found = style.names.map(entry).filter((one) => used.has(one[2]) || others.has(one[2]));
    if (used.has(-1)) found.push(["measured", "circle", -1, style.others ? "others" : "none"]);
    if (state.color !== "series" && official.length) found.push(["official", "square", -1, "official MLPerf result"]);
    if (view.points.some((row) => !crpack.model.isValid(row))) found.push(["invalid", "", -1, "INVALID"]);
    if (view.lines[0].length) found.push(["line", "", 0, "Pareto line"]);
    if (view.lines[1].length) found.push(["line", "", 1, "Pareto line of official results"]);
    return found;
  }

  // Draw the mark of one entry of the legend.
  function sample(context, [kind, shape, index], x, y, colors) {
    if (kind === "line") {
      context.strokeStyle = index ? colors.soft : colors.ink;
      context.lineWidth = 1.5;
      context.setLineDash(index ? [4, 3] : []);
      stroke(context, x - 7, y, x + 7, y);
      context.setLineDash([]);
    } else paint(context, kind, shape, x, y, index < 0 ? colors.soft : colors.palette[index], colors, 4.5);
  }

  crpack.plot = { draw, ring, nearest, legend, sample, theme, ends, FONT, BARRED };
})((window.crpack = window.crpack || {}));
