// The state of the view, and its form in the fragment of the address.
"use strict";
(function (crpack) {
  const COLORS = ["param.backend", "param.engine", "param.precision", "solution", "model", "series"];

  function fullest(axes, ...preferred) {
    const ranked = [...axes].sort((a, b) => b.size - a.size || crpack.model.natural(a.key, b.key));
    for (const fits of preferred) {
      const found = ranked.find(fits);
      if (found) return found.key;
    }
    return ranked.length ? ranked[0].key : "";
  }

  // The view without an address: latency against quality, of own results if there are any.
  function initial() {
    const { axes, attribute, count } = crpack.data;
    const own = axes.map((axis) => ({ ...axis, size: mine(axis) })).filter((axis) => axis.size);
    const pool = own.length ? own : axes;
    const x = fullest(pool, (a) => a.kind === "latency" && a.stat !== "p99", (a) => a.kind === "throughput");
    const y = fullest(pool, (a) => a.kind === "quality", (a) => a.kind === "throughput", (a) => a.key !== x);
    const color = COLORS.find((key) => variety(attribute.get(key), count) > 1) || "series";
    return {
      x, y, xlog: spreads(x, y), ylog: spreads(y, x), color, bars: "ci", pareto: false,
      q: "", filters: new Map(), sort: "x", page: 1, point: "",
    };
  }

  function mine(axis) {
    return axis.at.reduce((sum, row) => sum + !crpack.model.isOfficial(row), 0);
  }

  function variety(one, count) {
    const seen = new Set();
    for (let row = 0; one && row < count; row += 1) {
      if (!crpack.model.isOfficial(row) || one.key === "series") seen.add(one.codes[row]);
    }
    return seen.size;
  }

  // Numbers above zero that span more than a decade are read best on a logarithmic axis. Those
  // count that have one on the other axis too.
  function spreads(key, other) {
    const [axis, beside] = [key, other].map((one) => crpack.data.axis.get(one));
    let low = Infinity;
    let high = 0;
    for (const row of axis && beside ? axis.at : []) {
      if (!Number.isFinite(beside.values[row])) continue;
      low = Math.min(low, axis.values[row]);
      high = Math.max(high, axis.values[row]);
    }
    return low > 0 && high > 10 * low;
  }

  const PLAIN = ["x", "y", "color", "bars", "q", "sort", "point"];
  const FLAGS = ["xlog", "ylog", "pareto"];

  function write(state) {
    const words = new URLSearchParams();
    for (const name of PLAIN) if (state[name]) words.set(name, state[name]);
    for (const name of FLAGS) words.set(name, state[name] ? "1" : "0");
    if (state.page > 1) words.set("page", String(state.page));
    for (const [key, texts] of state.filters) for (const text of texts) words.append(`f.${key}`, text);
    return `#${words}`;
  }

  function read(fragment) {
    const state = initial();
    const words = new URLSearchParams(fragment.replace(/^#/, ""));
    for (const name of PLAIN) if (words.has(name)) state[name] = words.get(name);
    for (const name of ["x", "y"]) if (!crpack.data.axis.has(state[name])) state[name] = initial()[name];
    [state.xlog, state.ylog] = [spreads(state.x, state.y), spreads(state.y, state.x)];
    for (const name of FLAGS) if (words.has(name)) state[name] = words.get(name) === "1";
    if (!crpack.data.attribute.has(state.color)) state.color = "series";
    if (!["ci", "tail", "none"].includes(state.bars)) state.bars = "ci";
    if (!crpack.data.place.has(state.point)) state.point = "";
    state.page = Math.max(1, Number.parseInt(words.get("page"), 10) || 1);
    for (const [name, text] of words) {
      const key = name.startsWith("f.") ? name.slice(2) : "";
      if (!crpack.data.attribute.has(key)) continue;
      if (!state.filters.has(key)) state.filters.set(key, new Set());
      state.filters.get(key).add(text);
    }
    return state;
  }

  crpack.address = { initial, read, write, spreads };
})((window.crpack = window.crpack || {}));
