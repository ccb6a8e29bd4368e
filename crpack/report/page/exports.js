// What can be taken along: the rows as CSV, the drawing as PNG.
"use strict";
(function (crpack) {
  const WIDTH = 1200;
  const HEIGHT = 760;
  const NOTE = "Results that crpack measured are unverified, not an official MLPerf result.";

  // RFC 4180. A text that a spreadsheet would compute stands behind an apostrophe.
  function cell(value) {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  }

  function csv(rows) {
    const { ids, axes, attributes } = crpack.data;
    const names = axes.map((axis) => `${crpack.numbers.title(axis)} (${axis.unit}, ${axis.direction} is better)`);
    const lines = [["id", ...attributes.map((one) => one.label), ...names]];
    for (const row of rows) {
      lines.push([ids[row], ...attributes.map((one) => one.texts[one.codes[row]]), ...axes.map((axis) => axis.values[row])]);
    }
    return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  // The drawing with its legend, at twice the size, so that it is sharp in print.
  function png(state, view, done) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * WIDTH, 2 * HEIGHT];
    const context = canvas.getContext("2d");
    const colors = crpack.plot.theme();
    context.scale(2, 2);
    context.fillStyle = colors.paper;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    crpack.plot.draw(context, WIDTH, HEIGHT - 64, state, view);
    context.font = crpack.plot.FONT;
    context.textAlign = "left";
    context.textBaseline = "middle";
    let x = 70;
    for (const one of crpack.plot.legend(state, view)) {
      const width = context.measureText(one[3]).width + 40;
      if (x + width > WIDTH) break;
      crpack.plot.sample(context, one, x, HEIGHT - 44, colors);
      context.fillStyle = colors.ink;
      context.fillText(one[3], x + 12, HEIGHT - 44);
      x += width;
    }
    context.fillStyle = colors.soft;
    context.fillText(NOTE, 64, HEIGHT - 18);
    canvas.toBlob(done, "image/png");
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  crpack.exports = { csv, png, save };
})((window.crpack = window.crpack || {}));
