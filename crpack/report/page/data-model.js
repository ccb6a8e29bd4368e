// The data of `data.js`, as columns; what is shown of it; and the Pareto front.
"use strict";
(function (crpack) {
  const FACET = 40; // values of an attribute that people choose among
  const APART = new Set(["title", "below", "reasons", "lock", "identity", "realisation", "started", "source",
    "parts", "notes", "load", "throttled", "kernel", "settings", "replicates", "memory"]);

  // What people choose by first, before and after the parameters.
  const FIRST = ["series", "status", "solution", "model", "scenario", "processor", "platform", "submitter", "round"];

  // The one function that `data.js` calls.
  window.crpackData = function (document) {
    const count = document.ids.length;
    const axes = document.axes.map((axis) => column(axis, count));
    const attributes = document.attributes.map((one) => ({ ...one, codes: Uint32Array.from(one.codes) }));
    const byKey = new Map(attributes.map((one) => [one.key, one]));
    named(axes);
    crpack.data = {
      ...document,
      count,
      axes,
      attributes,
      axis: new Map(axes.map((axis) => [axis.key, axis])),
      attribute: byKey,
      place: new Map(document.ids.map((id, row) => [id, row])),
      locks: new Map(Object.entries(document.locks)),
      text: (row, key) => {
        const one = byKey.get(key);
        return one ? one.texts[one.codes[row]] : "";
      },
    };
  };

  function column(axis, count) {
    const full = (numbers) => {
      const found = new Float64Array(count).fill(NaN);
      axis.at.forEach((row, place) => {
        if (numbers[place] !== null) found[row] = numbers[place];
      });
      return found;
    };
    const values = full(axis.values);
    return { ...axis, values, low: axis.low && full(axis.low), high: axis.high && full(axis.high), size: axis.at.length };
  }

  // The content of a data set is named only where two of one name and version differ in it.
  function named(axes) {
    const plain = (axis) => axis.dataset.replace(/ #[0-9a-f]{8}(?=,|$)/g, "");
    const many = (axis) => axes.some((one) =>
      one.name === axis.name && one.stat === axis.stat && one.key !== axis.key && plain(one) === plain(axis));
    for (const axis of axes) axis.of = axis.dataset && !many(axis) ? plain(axis) : axis.dataset;
  }

  function isOfficial(row) {
    return crpack.data.text(row, "series") === "official";
  }

  function isValid(row) {
    return crpack.data.text(row, "status") === "valid";
  }

  // The attributes that can be chosen by, of some rows: two values or more, and not too many.
  function facets(rows, active) {
    const found = [];
    const place = (one) => (FIRST.indexOf(one.key) + 1 || (one.key.startsWith("param.") ? 4.5 : 99));
    for (const one of [...crpack.data.attributes].sort((a, b) => place(a) - place(b))) {
      if (APART.has(one.key)) continue;
      const counts = new Map();
      for (const row of rows) counts.set(one.codes[row], (counts.get(one.codes[row]) || 0) + 1);
      const asked = active.has(one.key);
      if (!asked && (counts.size < 2 || counts.size > FACET)) continue;
      const values = [...counts].map(([code, size]) => ({ text: one.texts[code], size }));
      for (const text of asked ? active.get(one.key) : []) {
        if (!values.some((value) => value.text === text)) values.push({ text, size: 0 });
      }
      values.sort((a, b) => (a.text === "") - (b.text === "") || natural(a.text, b.text));
      found.push({ key: one.key, label: one.label, values });
    }
    return found;
  }

  const collator = new Intl.Collator("en", { numeric: true });
  function natural(a, b) {
    return collator.compare(a, b);
  }

  // The rows that pass the free text and the chosen values.
  function filtered(state) {
    const data = crpack.data;
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const tests = [];
    for (const [key, texts] of state.filters) {
      const one = data.attribute.get(key);
      if (one) tests.push([one.codes, one.texts.map((text) => texts.has(text))]);
    }
    const hits = words.map((word) =>
      data.attributes.map((one) => [one.codes, one.texts.map((text) => text.toLowerCase().includes(word))]));
    const found = [];
    for (let row = 0; row < data.count; row += 1) {
      if (!tests.every(([codes, good]) => good[codes[row]])) continue;
      if (!hits.every((columns) => columns.some(([codes, good]) => good[codes[row]]))) continue;
      found.push(row);
    }
    return found;
  }

  // The rows that no other of them beats, the best on the horizontal axis first.
  function front(rows, x, y) {
    const cost = (axis, row) => (axis.direction === "lower" ? axis.values[row] : -axis.values[row]);
    const points = rows.map((row) => [cost(x, row), cost(y, row), row]);
    points.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    const found = [];
    let last = null;
    for (const point of points) {
      const same = last !== null && point[0] === last[0] && point[1] === last[1];
      if (last === null || point[1] < last[1] || same) {
        found.push(point[2]);
        last = point;
      }
    }
    return found;
  }

  // What a state shows: rows of the table, points of the drawing, and the line of each series.
  function view(state) {
    const x = crpack.data.axis.get(state.x);
    const y = crpack.data.axis.get(state.y);
    const log = { x: state.xlog, y: state.ylog };
    const rows = filtered(state);
    const fits = (row) => Number.isFinite(x.values[row]) && Number.isFinite(y.values[row]);
    const drawable = (row) => (!log.x || x.values[row] > 0) && (!log.y || y.values[row] > 0);
    const complete = x && y ? rows.filter(fits) : [];
    let points = complete.filter(drawable);
    const counted = points.filter(isValid);
    const lines = [
      front(counted.filter((row) => !isOfficial(row)), x, y),
      front(counted.filter(isOfficial), x, y),
    ];
    const onLine = new Set(lines.flat());
    const lacking = rows.length - complete.length;
    const below = complete.length - points.length;
    if (state.pareto) points = points.filter((row) => onLine.has(row));
    return { x, y, rows: state.pareto ? points : rows, points, lines, onLine, lacking, below };
  }

  crpack.model = { facets, filtered, front, view, isOfficial, isValid, natural, APART };
})((window.crpack = window.crpack || {}));
