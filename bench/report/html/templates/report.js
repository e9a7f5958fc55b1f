"use strict";
const {lines, boards, colours} = JSON.parse(document.getElementById("data").textContent);
const pick = id => document.getElementById("f-" + id);
const keys = ["model", "loss", "precision", "machine"];
const shapes = ["circle", "square", "diamond", "cross", "triangle-up", "star", "x", "pentagon", "hexagon", "triangle-down"];
// Each has a contrast of 3 to 1 at least with both papers, the light and the dark.
const marks = ["#2f7de1", "#d9480f", "#2b8a3e", "#a24fd6", "#d6336c", "#0c8599", "#a8661d", "#7a7f87", "#7d8a00", "#5f6fe0"];
const dashes = ["solid", "dash", "dot", "dashdot"];
// Of the first hundred rows of a chart no two have the same colour and shape; lines of the same colour differ in their dashes.
const look = i => {
  const turn = Math.floor(i / marks.length);
  return {color: marks[i % marks.length], symbol: shapes[(i + turn) % shapes.length], dash: dashes[turn % dashes.length]};
};
const label = line => `${line.model} · ${line.loss}`;
const longLabel = line => `${label(line)} · ${line.precision}`;
const narrow = () => document.documentElement.clientWidth < 600;
const tick = line => safe(longLabel(line)).replaceAll(" · ", narrow() ? "<br>" : " · ");
const safe = text => String(text).replace(/[&<>]/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"}[c]));
const bracketed = (text, disturbed) => disturbed && text !== "–" ? `(${text})` : text;
const digits = value => value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toLocaleString("en");

const measured = ["step_ms", "peak_mib", "rate"];  // by a machine: rows of two machines are not compared

const timed = ["step_ms", "rate"];  // what work beside a run makes worse

const printing = () => "print" in document.documentElement.dataset;
const barHeight = () => narrow() ? 50 : printing() ? 24 : 34;

const currentBoard = () => Number(pick("board").value || 0);
const metricFacts = () => boards[currentBoard()].metrics[pick("metric").value];
const passes = value => keys.every(key => !pick(key).value || String(value(key)) === pick(key).value);

function shown() {
  return lines.filter(line => line.board === currentBoard() && passes(key => line[key]));
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const [paper, card, ink, faint, rule, strong] =
    ["--paper", "--card", "--ink", "--faint", "--rule", "--strong"].map(name => style.getPropertyValue(name).trim());
  const axis = {gridcolor: rule, linecolor: faint, zerolinecolor: rule, automargin: true};
  return {
    ink, faint, paper, strong,
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: marks,
      font: {family: "system-ui, sans-serif", size: narrow() ? 11 : 13, color: ink},
      margin: {l: narrow() ? 20 : 60, r: 12, t: 12, b: 50}, xaxis: {...axis}, yaxis: {...axis},
      hoverlabel: {bgcolor: card, bordercolor: faint, font: {color: ink}},
      // What a click on a legend does, the filters do, for keyboards too.
      legend: {orientation: "h", x: 0, y: 1.02, yanchor: "bottom", traceorder: "normal", itemclick: false, itemdoubleclick: false},
    },
  };
}

function plot(id, data, layout, heading, body) {
  if (!body.length) layout.annotations = [{text: "No row that is shown has these figures.", showarrow: false, xref: "paper", yref: "paper", x: .5, y: .5}];
  if (narrow() && layout.showlegend !== false) layout.height += 18 * data.length;  // its entries are below each other
  document.getElementById("c-" + id).style.height = `${layout.height}px`;  // else a resized plot lies over what follows
  Plotly.react("c-" + id, data, layout, {responsive: true, displaylogo: false, displayModeBar: false});
  const table = document.querySelector(`#d-${id} table`);
  const row = (tag, cells) => {
    const made = document.createElement("tr");
    made.append(...cells.map((text, column) => {
      const cell = Object.assign(document.createElement(tag), {textContent: text});
      if (column === 0) cell.className = "text";
      if (tag === "th") cell.scope = "col";
      return cell;
    }));
    return made;
  };
  table.tHead.replaceChildren(row("th", heading));
  table.tBodies[0].replaceChildren(...body.map(cells => row("td", cells)));
}

function front(rows, cost, metric, higher) {
  const cheap = (a, b) => cost === "rate" ? a[cost] >= b[cost] : a[cost] <= b[cost];
  const good = (a, b) => higher ? a.scores[metric].mean >= b.scores[metric].mean : a.scores[metric].mean <= b.scores[metric].mean;
  const beats = (b, a) => cheap(b, a) && good(b, a) && !(cheap(a, b) && good(a, b));
  return rows.filter(a => !rows.some(b => b !== a && beats(b, a))).sort((a, b) => a[cost] - b[cost]);
}

function hover(line) {
  const seeds = `${line.seeds} seed${line.seeds > 1 ? "s" : ""}`;
  return [label(line), `${line.precision}, ${seeds}`, line.machine].map(safe).join("<br>");
}

const charts = {
  cost() {
    const metric = pick("metric").value, facts = metricFacts(), {layout, ink} = theme();
    const scored = shown().filter(line => line.learns && line.scores[metric]), costs = [...pick("cost").options];
    costs.forEach(option => { option.disabled = !scored.some(line => line[option.value] != null); });
    if (pick("cost").selectedOptions[0].disabled) pick("cost").value = costs.find(option => !option.disabled)?.value ?? "step_ms";
    const cost = pick("cost").value, rows = scored.filter(line => line[cost] != null);
    const machines = measured.includes(cost) ? [...new Set(rows.map(line => line.machine))] : [null];
    const busy = line => timed.includes(cost) && line.disturbed, quiet = part => part.some(line => !busy(line)) ? part.filter(line => !busy(line)) : part;
    const fronts = machines.map(machine => front(quiet(rows.filter(line => !machine || line.machine === machine)), cost, metric, facts.higher));
    const best = fronts.flat(), gapped = value => fronts.flatMap(part => [...part.map(value), null]);  // a line for each
    const data = [...new Set(rows.map(line => line.model))].map((model, i) => {
      const own = rows.filter(line => line.model === model), {color, symbol} = look(i);
      return {
        type: "scatter", mode: "markers", name: safe(model),
        x: own.map(line => line[cost]), y: own.map(line => line.scores[metric].mean),
        error_y: {type: "data", array: own.map(line => line.scores[metric].sd ?? 0), thickness: 1},
        marker: {symbol: own.map(line => symbol + (busy(line) ? "-open" : "")), size: 11, color},
        text: own.map(line => hover(line) + (busy(line) ? "<br>the machine was busy with other work" : "")),
        hovertemplate: "%{text}<br>%{x:,.4~g} · %{y:.4f}<extra></extra>",
      };
    });
    data.push({
      type: "scatter", mode: "lines", name: "Pareto front", hoverinfo: "skip", line: {dash: "dot", width: 1.5, color: ink},
      x: gapped(line => line[cost]), y: gapped(line => line.scores[metric].mean),
    });
    const name = pick("cost").selectedOptions[0].textContent;
    Object.assign(layout.xaxis, {title: {text: name}, type: rows.length ? "log" : "linear"});
    Object.assign(layout.yaxis, {title: {text: facts.label}});
    layout.height = printing() ? 310 : 460;
    plot("cost", data, layout, ["row", name, facts.label, "Pareto front"], rows.map(line =>
      [longLabel(line), bracketed(digits(line[cost]), busy(line)), line.scores[metric].mean.toFixed(4), best.includes(line) ? "yes" : ""]));
  },
  grid() {
    const metric = pick("metric").value, facts = metricFacts(), {layout, ink, paper, strong} = theme();
    const rows = shown().filter(line => line.learns && line.scores[metric]);
    const models = [...new Set(rows.map(line => line.model))].sort(), losses = [...new Set(rows.map(line => line.loss))].sort();
    const score = (model, loss) => rows.find(line => line.model === model && line.loss === loss)?.scores[metric].mean ?? null;
    const z = models.map(model => losses.map(loss => score(model, loss)));
    const text = z.map(row => row.map(value => value === null ? "" : value.toFixed(3)));
    layout.height = Math.max(260, 60 + 30 * models.length);
    plot("grid", [{
      type: "heatmap", x: losses.map(safe), y: models.map(safe), z, text, texttemplate: "%{text}", textfont: {color: ink},
      colorscale: [[0, paper], [1, strong]], reversescale: !facts.higher, colorbar: {outlinewidth: 0},
      hovertemplate: "%{y} · %{x}<br>%{z:.4f}<extra></extra>",
    }], layout, ["model", ...losses], models.map((model, i) => [model, ...text[i].map(cell => cell || "–")]));
  },
  curves() {
    const what = pick("curve").value, rows = shown().filter(line => line.curve[what]), {layout} = theme();
    const epochs = Math.max(0, ...rows.map(line => line.curve[what].length));
    Object.assign(layout.xaxis, {title: {text: "epoch"}, dtick: Math.max(1, Math.ceil(epochs / 20))});
    Object.assign(layout.yaxis, {title: {text: what.replaceAll("_", " ")}});
    layout.height = printing() ? 310 : 440;
    const looks = rows.map((_, i) => look(i));
    plot("curves", rows.map((line, i) => ({
      type: "scatter", mode: "lines+markers", name: safe(longLabel(line)), y: line.curve[what],
      x: line.curve[what].map((_, epoch) => epoch + 1),
      line: {color: looks[i].color, dash: looks[i].dash}, marker: {color: looks[i].color, symbol: looks[i].symbol, size: 8},
    })), layout, ["row", ...Array.from({length: epochs}, (_, epoch) => `epoch ${epoch + 1}`)], rows.map(line =>
      [longLabel(line), ...Array.from({length: epochs}, (_, epoch) => digits(line.curve[what][epoch]))]));
  },
  time() {
    const rows = shown().filter(line => line.learns && Object.keys(line.blocks).length), {layout, faint} = theme();
    const names = Object.keys(colours).filter(name => name !== "metrics" && rows.some(line => name in line.blocks));  // no part of a step
    Object.assign(layout, {barmode: "stack", height: Math.max(260, 130 + barHeight() * rows.length)});
    const noted = text => line => bracketed(text(line), line.disturbed) + (line.blocks_note ? " ‡" : ""), note = rows.find(line => line.blocks_note)?.blocks_note;
    Object.assign(layout.xaxis, {title: {text: "milliseconds per step" + (note ? `<br>‡ ${safe(note)}` : "")}});
    layout.yaxis.autorange = "reversed";
    plot("time", names.map(name => ({
      type: "bar", orientation: "h", name: name.replace("_", " "), y: rows.map(noted(tick)),
      x: rows.map(line => line.blocks[name] ?? 0), marker: {color: colours[name], line: {color: faint, width: 1}},
      hovertemplate: "%{fullData.name}: %{x:.2f} ms<extra></extra>",
    })), layout, ["row", ...names.map(name => name.replace("_", " "))], rows.map(line =>
      [noted(longLabel)(line), ...names.map(name => bracketed(digits(line.blocks[name]), line.disturbed))]));
  },
  images() {
    const metric = pick("metric").value, rows = shown().filter(line => line.spread[metric]), {layout} = theme();
    const at = (line, share) => line.spread[metric][Math.round(share * (line.spread[metric].length - 1))];
    Object.assign(layout, {height: Math.max(280, 80 + barHeight() * rows.length), showlegend: false});
    Object.assign(layout.xaxis, {title: {text: metricFacts().label}});
    layout.yaxis.autorange = "reversed";
    plot("images", rows.map(line => ({
      type: "box", orientation: "h", name: safe(label(line)), y: [tick(line)], lowerfence: [at(line, 0)],
      q1: [at(line, .25)], median: [at(line, .5)], q3: [at(line, .75)], upperfence: [at(line, 1)],
    })), layout, ["row", "minimum", "lower quartile", "median", "upper quartile", "maximum"], rows.map(line =>
      [longLabel(line), ...[0, .25, .5, .75, 1].map(share => digits(at(line, share)))]));
  },
};

const visible = new Set();
function draw(id) { if (visible.has(id) && window.Plotly && boards.length) charts[id](); }
function drawAll() { Object.keys(charts).forEach(id => { visible.add(id); draw(id); }); }

function update() {
  document.querySelectorAll(".board").forEach(part => { part.hidden = Number(part.dataset.board) !== currentBoard(); });
  document.querySelectorAll("table.ranking tbody tr").forEach(row => { row.hidden = !passes(key => row.dataset[key]); });
  document.getElementById("count").value = `${shown().length} rows shown`;
  Object.keys(charts).forEach(draw);
}

function fill(select, pairs) {
  const before = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => Object.assign(document.createElement("option"), {value, textContent: text})));
  if (pairs.some(([value]) => value === before)) select.value = before;
}

function boardChanged() {
  const own = lines.filter(line => line.board === currentBoard());
  const metrics = Object.entries(boards[currentBoard()]?.metrics ?? {}).filter(([name]) => own.some(line => line.scores[name]));
  fill(pick("metric"), metrics.map(([name, facts]) => [name, facts.label]));
  fill(pick("curve"), [...new Set(own.flatMap(line => Object.keys(line.curve)))].map(name => [name, name.replaceAll("_", " ")]));
  update();
}

function reset() {
  keys.forEach(key => { pick(key).value = ""; });
  update();
}

function sortBy(table, head) {
  const column = head.cellIndex, up = head.getAttribute("aria-sort") === "descending";
  [...head.parentElement.cells].forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = row => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const order = (a, b) => {  // numbers after words, so that what is not known is last when the greatest is first
    const x = value(a), y = value(b), numbers = [x, y].filter(value => typeof value === "number").length;
    return numbers === 2 ? x - y : numbers === 1 ? (typeof x === "number" ? 1 : -1) : x.localeCompare(y);
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => (up ? 1 : -1) * order(a, b)));
}

function drawWhenSeen() {
  const watch = new IntersectionObserver((entries, observer) => entries.filter(entry => entry.isIntersecting).forEach(entry => {
    observer.unobserve(entry.target);
    const id = entry.target.id.slice(2);
    visible.add(id);
    draw(id);
  }), {rootMargin: "400px"});
  document.querySelectorAll(".chart").forEach(chart => watch.observe(chart));
  document.querySelectorAll("details").forEach(details => details.addEventListener("toggle", () => {
    visible.add(details.id.slice(2));
    draw(details.id.slice(2));
  }));
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; update(); } });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; drawAll(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; update(); });
}

document.querySelectorAll("select").forEach(select => select.addEventListener("change", select === pick("board") ? boardChanged : update));
document.getElementById("reset").addEventListener("click", reset);
document.querySelector("form").addEventListener("keydown", event => { if (event.key === "Escape") reset(); });
document.querySelectorAll("table.ranking").forEach(table => table.querySelectorAll("thead button").forEach(button =>
  button.addEventListener("click", () => sortBy(table, button.closest("th")))));
boardChanged();
