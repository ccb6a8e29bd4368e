// The page: joins the state, the controls, the drawing, the table and the chosen result.
"use strict";
(function (crpack) {
  const at = (id) => document.getElementById(id);
  const element = (...words) => crpack.table.element(...words);
  const MENUS = 9; // shown at first
  let state;
  let view;
  const still = document.createElement("canvas"); // the drawing without rings
  let placed = [];
  let hover = -1;
  let more = false; // whether all menus are shown

  function start() {
    if (!crpack.data) {
      at("count").textContent = "The file data.js is missing or damaged: make the page again.";
      return;
    }
    const { count, crpack: version, notes } = crpack.data;
    at("count").textContent = counted(count);
    at("notes").textContent = notes.map((note) => `${note}.`).join(" ");
    at("made").textContent = `Made by crpack ${version}.`;
    axisPickers();
    listen();
    state = crpack.address.read(location.hash);
    show();
  }

  function counted(count) {
    let official = 0;
    for (let row = 0; row < count; row += 1) official += crpack.model.isOfficial(row);
    return `${whole(count - official)} measured · ${whole(official)} official`;
  }

  function whole(number) {
    return crpack.numbers.format(number, "1");
  }

  function axisPickers() {
    const groups = new Map();
    for (const axis of crpack.data.axes) {
      if (!groups.has(axis.kind)) groups.set(axis.kind, []);
      groups.get(axis.kind).push(axis);
    }
    for (const id of ["x", "y"]) {
      for (const [kind, axes] of groups) {
        const group = element("optgroup");
        group.label = kind;
        for (const axis of axes) {
          const arrow = axis.direction === "lower" ? "↓" : "↑";
          const option = element("option", `${crpack.numbers.described(axis)} ${arrow}`);
          option.value = axis.key;
          group.append(option);
        }
        at(id).append(group);
      }
    }
  }

  // Change the state and show it; what changes which rows there are leads back to the first page.
  function change(words) {
    const rows = ["x", "y", "q", "filters", "pareto", "sort"].some((name) => name in words);
    state = { ...state, ...(rows ? { page: 1 } : {}), ...words };
    show();
    history.replaceState(null, "", crpack.address.write(state));
  }

  function show() {
    view = crpack.model.view(state);
    controls();
    facets();
    drawing();
    at("shown").textContent = told();
    crpack.table.show(at("table"), at("pages"), state, view, {
      sort: (sort) => change({ sort }),
      choose,
      turn: (page) => change({ page }),
    });
    crpack.details.show(at("details"), chosen());
  }

  function chosen() {
    return state.point ? crpack.data.place.get(state.point) : -1;
  }

  function controls() {
    for (const id of ["x", "y", "bars", "color"]) at(id).value = state[id];
    for (const id of ["xlog", "ylog", "pareto"]) at(id).checked = state[id];
    if (at("search").value !== state.q) at("search").value = state.q;
    at("clear").hidden = !state.q && !state.filters.size;
  }

  // Filters and colours that tell the results on these axes apart.
  function facets() {
    const { x, y } = view;
    const base = [];
    for (let row = 0; row < crpack.data.count; row += 1) {
      if (x && y && Number.isFinite(x.values[row]) && Number.isFinite(y.values[row])) base.push(row);
    }
    const found = crpack.model.facets(base, state.filters);
    const open = document.querySelector("#facets details[open]");
    const kept = open ? open.dataset.key : "";
    const shown = found.filter((facet, place) => more || place < MENUS || state.filters.has(facet.key));
    at("facets").replaceChildren(...shown.map((facet) => menu(facet, facet.key === kept)));
    at("more").hidden = more || shown.length === found.length;
    at("more").textContent = `${found.length - shown.length} more`;
    const names = found.map((facet) => [facet.key, facet.label]);
    if (!names.some(([key]) => key === state.color)) {
      names.push([state.color, crpack.data.attribute.get(state.color).label]);
    }
    at("color").replaceChildren(...names.map(([key, label]) => {
      const option = element("option", label);
      option.value = key;
      return option;
    }));
    at("color").value = state.color;
  }

  function menu(facet, open) {
    const active = state.filters.get(facet.key) || new Set();
    const whole = element("details");
    whole.dataset.key = facet.key;
    whole.open = open;
    const label = whole.appendChild(element("summary", facet.label));
    if (active.size) label.append(" ", element("b", String(active.size)));
    const list = whole.appendChild(element("div"));
    for (const value of facet.values) {
      const line = list.appendChild(element("label"));
      const box = line.appendChild(element("input"));
      box.type = "checkbox";
      box.checked = active.has(value.text);
      box.addEventListener("change", () => toggle(facet.key, value.text, box.checked));
      line.append(element("span", value.text || "none"), element("small", String(value.size)));
    }
    return whole;
  }

  function toggle(key, text, on) {
    const filters = new Map([...state.filters].map(([name, texts]) => [name, new Set(texts)]));
    if (!filters.has(key)) filters.set(key, new Set());
    filters.get(key)[on ? "add" : "delete"](text);
    if (!filters.get(key).size) filters.delete(key);
    const index = [...document.querySelectorAll("#facets input")].indexOf(document.activeElement);
    change({ filters });
    if (index >= 0) document.querySelectorAll("#facets input")[index]?.focus();
  }

  function drawing() {
    const canvas = at("canvas");
    const box = canvas.getBoundingClientRect();
    if (!box.width || !box.height) return; // nothing of the page is shown
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    still.width = canvas.width;
    still.height = canvas.height;
    const context = still.getContext("2d");
    context.scale(ratio, ratio);
    placed = crpack.plot.draw(context, box.width, box.height, state, view);
    rings();
    legend();
    const line = view.onLine.size;
    const axes = view.x && view.y ? `${crpack.numbers.title(view.y)} over ${crpack.numbers.title(view.x)}` : "nothing";
    canvas.setAttribute("aria-label", `${axes}: ${placed.length} points, ${line} of them on a Pareto line`);
  }

  // The drawing as it is, and rings around the chosen point and the one under the pointer.
  function rings() {
    const canvas = at("canvas");
    const context = canvas.getContext("2d");
    const { ink, soft } = crpack.plot.theme();
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(still, 0, 0);
    context.scale(ratio, ratio);
    crpack.plot.ring(context, placed, hover, soft);
    crpack.plot.ring(context, placed, chosen(), ink);
  }

  function legend() {
    const colors = crpack.plot.theme();
    const ratio = window.devicePixelRatio || 1;
    at("legend").replaceChildren(...crpack.plot.legend(state, view).map((one) => {
      const item = element("li");
      const mark = item.appendChild(element("canvas"));
      [mark.width, mark.height] = [18 * ratio, 16 * ratio];
      mark.setAttribute("aria-hidden", "true");
      const context = mark.getContext("2d");
      context.scale(ratio, ratio);
      crpack.plot.sample(context, one, 9, 8, colors);
      item.append(one[3]);
      return item;
    }));
  }

  function told() {
    const parts = [`${whole(placed.length)} of ${whole(view.rows.length)} results are drawn`];
    if (view.lacking) parts.push(`${whole(view.lacking)} have no number on both axes`);
    if (view.below) parts.push(`${whole(view.below)} are not above zero, as a logarithmic axis wants`);
    if (placed.length > crpack.plot.BARRED && state.bars !== "none") parts.push("bars are left out of so many");
    return `${parts.join("; ")}.`;
  }

  function choose(row) {
    const point = row < 0 ? "" : crpack.data.ids[row];
    const page = row < 0 ? state.page : crpack.table.pageOf(row, state, view) || state.page;
    change({ point, page });
  }

  // The next point along an axis in the drawing: by `step` places in the order of `along`.
  function step(along, by) {
    const order = [...placed].sort((a, b) => a[along] - b[along] || a[0] - b[0]).map((one) => one[0]);
    if (!order.length) return;
    const now = order.indexOf(chosen());
    const from = now >= 0 ? now : by > 0 ? -1 : order.length;
    const next = Math.min(order.length - 1, Math.max(0, from + by));
    choose(order[next]);
    const brief = crpack.details.brief(order[next], view);
    at("said").textContent = [brief.name, ...brief.lines].join(", ");
  }

  function press(event) {
    const moves = { ArrowRight: [1, 1], ArrowLeft: [1, -1], ArrowUp: [2, -1], ArrowDown: [2, 1], Home: [1, -Infinity], End: [1, Infinity] };
    if (event.key in moves) step(...moves[event.key]);
    else if (event.key === "Escape") choose(-1);
    else if (event.key === "Enter") at("details").focus();
    else return;
    event.preventDefault();
  }

  function point(event) {
    const box = at("canvas").getBoundingClientRect();
    return crpack.plot.nearest(placed, event.clientX - box.left, event.clientY - box.top);
  }

  function hovering(event) {
    const row = point(event);
    if (row === hover) return;
    hover = row;
    rings();
    tip(row);
  }

  function tip(row) {
    const box = at("tip");
    box.hidden = row < 0;
    if (row < 0) return;
    const brief = crpack.details.brief(row, view);
    box.replaceChildren(element("strong", brief.name), ...brief.lines.map((line) => element("span", line)));
    const [, x, y] = placed.find((one) => one[0] === row);
    const room = at("canvas").clientWidth;
    box.style.left = `${Math.max(4, Math.min(x + 14, room - box.offsetWidth - 4))}px`;
    box.style.top = `${y > box.offsetHeight + 20 ? y - box.offsetHeight - 12 : y + 16}px`;
  }

  // Other axes: each is logarithmic where its numbers now ask for it.
  function turn() {
    const [x, y] = [at("x").value, at("y").value];
    change({ x, y, xlog: crpack.address.spreads(x, y), ylog: crpack.address.spreads(y, x) });
  }

  function listen() {
    for (const id of ["x", "y"]) at(id).addEventListener("change", turn);
    for (const id of ["color", "bars"]) at(id).addEventListener("change", () => change({ [id]: at(id).value }));
    for (const id of ["xlog", "ylog", "pareto"]) at(id).addEventListener("change", () => change({ [id]: at(id).checked }));
    at("search").addEventListener("input", () => change({ q: at("search").value }));
    at("clear").addEventListener("click", () => change({ q: "", filters: new Map() }));
    at("more").addEventListener("click", () => { more = true; facets(); });
    at("csv").addEventListener("click", () => {
      const text = crpack.exports.csv(crpack.table.sorted(state, view));
      crpack.exports.save(new Blob([text], { type: "text/csv" }), "results.csv");
    });
    at("png").addEventListener("click", () => crpack.exports.png(state, view, (blob) => crpack.exports.save(blob, "results.png")));
    at("canvas").addEventListener("pointermove", hovering);
    at("canvas").addEventListener("pointerleave", () => { hover = -1; tip(-1); rings(); });
    at("canvas").addEventListener("click", (event) => choose(point(event)));
    at("canvas").addEventListener("keydown", press);
    document.addEventListener("click", closing);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") closing({ target: document.body }); });
    window.addEventListener("resize", drawing);
    window.addEventListener("hashchange", () => { state = crpack.address.read(location.hash); show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawing);
  }

  // Only one menu is open, and none after a click elsewhere.
  function closing(event) {
    for (const menu of document.querySelectorAll("#facets details[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  }

  start();
})((window.crpack = window.crpack || {}));
