// The chosen result: its numbers, what it was measured with, and the command that repeats it.
"use strict";
(function (crpack) {
  const DIGEST = /^[0-9a-f]{64}$/;
  const NAME = /^[a-z0-9][a-z0-9_.@/-]*$/;
  const APART = new Set(["title", "below", "solution", "series", "status", "reasons", "badge", "lock", "source"]);
  const element = (...words) => crpack.table.element(...words);

  function show(panel, row) {
    if (row < 0) {
      panel.replaceChildren(element("p", "Choose a point or a row to see its record and how to repeat it.", "empty"));
      return;
    }
    const text = (key) => crpack.data.text(row, key);
    const official = crpack.model.isOfficial(row);
    const parts = [element("h2", text("title")), element("p", text("below"), "below"), badges(text, official)];
    if (text("reasons")) parts.push(element("p", text("reasons"), "why"));
    parts.push(numbers(row));
    parts.push(...(official ? origin(text("source")) : repeat(row, text)));
    parts.push(facts(row));
    panel.replaceChildren(...parts);
  }

  function badges(text, official) {
    const line = element("p", undefined, "badges");
    if (text("status") !== "valid") line.append(element("strong", "INVALID", "invalid"));
    line.append(element("span", official ? "official MLPerf result" : text("badge"), "badge"));
    if (!official) line.append(element("span", "unverified, not an official MLPerf result", "badge quiet"));
    return line;
  }

  function pairs(rows) {
    const list = element("dl");
    for (const [name, value] of rows) {
      const group = list.appendChild(element("div"));
      group.append(element("dt", name));
      const shown = group.appendChild(element("dd"));
      shown.append(value);
    }
    return list;
  }

  function numbers(row) {
    const rows = [];
    for (const axis of crpack.data.axes) {
      if (!Number.isFinite(axis.values[row])) continue;
      const interval = crpack.plot.ends(axis, row, "ci");
      const { withUnit, format, title } = crpack.numbers;
      const value = element("span", withUnit(axis.values[row], axis));
      if (interval) value.append(" ", element("small", `${format(interval[0], axis.unit)} to ${format(interval[1], axis.unit)}`));
      rows.push([title(axis), value]);
    }
    const list = pairs(rows);
    list.className = "numbers";
    return list;
  }

  function facts(row) {
    const rows = crpack.data.attributes
      .filter((one) => !APART.has(one.key) && one.codes[row] !== 0)
      .map((one) => [one.label, one.texts[one.codes[row]]]);
    return pairs(rows);
  }

  function link(text, address) {
    const made = element("a", text);
    made.href = address;
    made.rel = "noreferrer";
    return made;
  }

  function origin(address) {
    if (!address.startsWith("https://github.com/mlcommons/")) return [];
    const line = element("p");
    line.append(link("Its source", address));
    return [line];
  }

  // How to repeat an own result. Only digests and plain names become addresses and commands.
  function repeat(row, text) {
    const id = crpack.data.ids[row];
    const lock = text("lock");
    const name = text("solution").split(" ")[0];
    if (!DIGEST.test(id) || !NAME.test(name)) return [];
    const found = DIGEST.test(lock) && crpack.data.locks.has(lock);
    const record = `results/${id}.json`;
    const commands = [`crpack benchmark ${name} --replay ${record}`];
    if (found && crpack.data.locks.get(lock)) commands.unshift(`crpack install --frozen --lock results/locks/${lock}.lock`);
    const documents = element("p", undefined, "documents");
    documents.append(link("Record", record), element("code", id.slice(0, 16)));
    documents.append(found ? link("Lock", `results/locks/${lock}.lock`) : element("span", "Lock"), element("code", lock.slice(0, 16)));
    if (!found) documents.append(element("small", "The lock did not come with the results."));
    else if (!crpack.data.locks.get(lock)) documents.append(element("small", "It is of an archive file: install that first."));
    return [...command(commands.join("\n")), documents];
  }

  function command(text) {
    const head = element("div", undefined, "command");
    head.append(element("h3", "Repeat it"), element("small", "in the folder of this page"));
    if (navigator.clipboard) {
      const button = head.appendChild(element("button", "Copy"));
      button.type = "button";
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(text).then(() => (button.textContent = "Copied"), () => button.remove());
      });
    }
    const lines = element("pre", text);
    lines.tabIndex = 0;
    return [head, lines];
  }

  // One line that tells of a row: for the tip and for who listens.
  function brief(row, view) {
    const { title, withUnit } = crpack.numbers;
    const invalid = crpack.model.isValid(row) ? "" : " INVALID";
    const value = (axis) => `${title(axis)} ${withUnit(axis.values[row], axis)}`;
    return { name: `${crpack.data.text(row, "title")}${invalid}`, lines: [value(view.x), value(view.y)] };
  }

  crpack.details = { show, brief };
})((window.crpack = window.crpack || {}));
