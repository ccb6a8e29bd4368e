// The table: the same rows as the drawing, sorted and in pages.
"use strict";
(function (crpack) {
  const ROWS = 25; // of one page

  function columns(state, view) {
    const { title, unitName } = crpack.numbers;
    const number = (id, axis) => ({
      id, axis, label: title(axis), hint: unitName(axis), numeric: true,
      order: (row) => (axis.direction === "lower" ? axis.values[row] : -axis.values[row]),
    });
    const text = (key) => ({ id: key, key, label: crpack.data.attribute.get(key).label });
    const has = (key) => crpack.data.attribute.has(key);
    const found = [text("title")];
    if (view.x) found.push(number("x", view.x));
    if (view.y && view.y !== view.x) found.push(number("y", view.y));
    for (const key of ["processor", "badge"]) if (has(key)) found.push(text(key));
    return found;
  }

  // Best numbers first, then those without; equal ones stay in the order of the data.
  function sorted(state, view) {
    const down = state.sort.startsWith("-");
    const id = state.sort.replace(/^-/, "");
    const column = columns(state, view).find((one) => one.id === id);
    const rows = [...view.rows];
    if (!column) return rows;
    const sign = down ? -1 : 1;
    if (column.numeric) {
      const fits = (row) => view.x && view.y && Number.isFinite(view.x.values[row]) && Number.isFinite(view.y.values[row]);
      const rank = (row) => (Number.isFinite(column.order(row)) ? (fits(row) ? 0 : 1) : 2);
      return rows.sort((a, b) => rank(a) - rank(b) || (rank(a) < 2 && sign * (column.order(a) - column.order(b))) || a - b);
    }
    const texts = (row) => crpack.data.text(row, column.key);
    return rows.sort((a, b) => (texts(a) === "") - (texts(b) === "") || sign * crpack.model.natural(texts(a), texts(b)) || a - b);
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // Show a page of rows; `act` has `sort(id)`, `choose(row)` and `turn(page)`.
  function show(table, pages, state, view, act) {
    const shown = columns(state, view);
    const rows = sorted(state, view);
    const last = Math.max(1, Math.ceil(rows.length / ROWS));
    const page = Math.min(state.page, last);
    const head = element("thead");
    const line = head.appendChild(element("tr"));
    for (const column of shown) line.append(header(column, state, act));
    const body = element("tbody");
    for (const row of rows.slice((page - 1) * ROWS, page * ROWS)) body.append(entry(row, shown, state, act));
    table.replaceChildren(head, body);
    turners(pages, page, last, rows.length, act);
  }

  function header(column, state, act) {
    const cell = element("th", undefined, column.numeric ? "number" : "");
    cell.scope = "col";
    const id = state.sort.replace(/^-/, "");
    if (id === column.id) cell.setAttribute("aria-sort", direction(column, state.sort.startsWith("-")));
    const button = element("button", column.label);
    button.type = "button";
    if (column.hint) button.append(" ", element("span", column.hint, "unit"));
    button.addEventListener("click", () => act.sort(id === column.id && state.sort[0] !== "-" ? `-${id}` : column.id));
    cell.append(button);
    return cell;
  }

  function direction(column, down) {
    const falls = column.numeric && column.axis.direction === "higher";
    return falls !== down ? "descending" : "ascending";
  }

  function entry(row, shown, state, act) {
    const line = element("tr");
    const data = crpack.data;
    if (data.ids[row] === state.point) line.setAttribute("aria-selected", "true");
    for (const column of shown) {
      const cell = element("td", undefined, column.numeric ? "number" : column.key);
      if (column.key === "title") {
        const button = element("button", data.text(row, "title"));
        button.type = "button";
        button.addEventListener("click", (event) => {
          event.stopPropagation();
          act.choose(row);
        });
        cell.append(button, " ", element("span", data.text(row, "below"), "below"));
        if (!crpack.model.isValid(row)) cell.append(" ", element("strong", "INVALID", "invalid"));
      } else if (column.numeric) cell.textContent = crpack.numbers.format(column.axis.values[row], column.axis.unit, true);
      else cell.textContent = data.text(row, column.key);
      if (column.key === "processor") cell.append(" ", element("span", data.text(row, "accelerator"), "below"));
      line.append(cell);
    }
    line.addEventListener("click", () => act.choose(row));
    return line;
  }

  function turners(pages, page, last, total, act) {
    const from = total ? (page - 1) * ROWS + 1 : 0;
    const turn = (label, to, off) => {
      const button = element("button", label);
      button.type = "button";
      button.disabled = off;
      button.addEventListener("click", () => act.turn(to));
      return button;
    };
    const text = element("span", `${from} to ${Math.min(page * ROWS, total)} of ${total}`);
    if (last === 1) pages.replaceChildren(element("span", total === 1 ? "1 result" : `${total} results`));
    else pages.replaceChildren(turn("Previous", page - 1, page === 1), text, turn("Next", page + 1, page === last));
  }

  // The page that a row stands on; 0 for none.
  function pageOf(row, state, view) {
    return Math.ceil((sorted(state, view).indexOf(row) + 1) / ROWS);
  }

  crpack.table = { show, sorted, pageOf, element };
})((window.crpack = window.crpack || {}));
