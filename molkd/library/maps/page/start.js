"use strict";
// Puts the page together when its data have been read.

async function start() {
  const info = JSON.parse(element("info").textContent), data = new Data(info, element("data").textContent);
  const [x, y] = await Promise.all([data.places("x"), data.places("y")]);
  const chart = new Chart(data, x, y);
  const cards = new Cards(element("cards"), element("more"), row => data.facts(row, chart.color), {
    chosen: row => chart.centre(row),
    dropped: row => chart.select([row], "remove"),
    pointed: row => chart.point(row),
  });
  chart.selectionChanged = () => {
    const rows = chart.selection();
    element("count").textContent = rows.length ? counted(rows.length, "molecule") : "Nothing selected.";
    element("help").hidden = rows.length > 0;
    for (const id of ["clear", "csv", "sdf"]) element(id).disabled = !rows.length;
    cards.show(rows);
  };
  const filters = new Filters(data, element("filters"), element("adder"), element("search"), () => {
    const shown = filters.shown(), count = shown.reduce((sum, one) => sum + one, 0);
    element("shown").textContent = `${count.toLocaleString("en")} of ${counted(info.rows, "molecule")} shown`;
    element("take").disabled = !count;
    chart.filter(shown);
  });
  wireColors(chart, cards, info);
  const setTool = wireTools(chart);
  wireSelection(chart, data, info);
  const modeOf = event => (event.altKey ? "remove" : event.shiftKey && chart.tool !== "move" ? "add" : element("mode").value);
  listen(chart, modeOf, setTool);
  new ResizeObserver(() => {
    const changed = 0.94 * Math.min(front.clientWidth, front.clientHeight - 40) / chart.scale0;
    if (changed > 0 && changed !== 1) {
      chart.view.scale *= changed;
      chart.scale0 *= changed;
    }
    chart.draw();
  }).observe(stage);
  dark.addEventListener("change", () => chart.colorBy(chart.color));
  for (const row of info.selected) chart.states[row] |= SELECTED;
  await chart.colorBy(info.columns.findIndex(column => column.name === info.color));
  filters.changed();
  chart.selectionChanged();
  window.chart = chart;
  document.documentElement.dataset.ready = "true";
}

function wireColors(chart, cards, info) {
  const color = element("color");
  info.columns.forEach((column, number) => {
    if (column.kind !== "text") color.append(new Option(column.name, number));
  });
  const first = info.columns.findIndex(column => column.name === info.color);
  color.value = first;
  color.addEventListener("change", async () => {
    await chart.colorBy(Number(color.value));
    cards.refresh();
  });
}

function wireTools(chart) {
  const buttons = [...document.querySelectorAll("[data-tool]")].filter(one => one.tagName === "BUTTON");
  const setTool = tool => {
    chart.tool = stage.dataset.tool = tool;
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.tool === tool);
  };
  for (const button of buttons) button.addEventListener("click", () => setTool(button.dataset.tool));
  element("closer").addEventListener("click", () => chart.zoom(1.6));
  element("farther").addEventListener("click", () => chart.zoom(1 / 1.6));
  element("whole").addEventListener("click", () => {
    chart.fit();
    chart.draw();
  });
  setTool("move");
  return setTool;
}

function wireSelection(chart, data, info) {
  element("clear").addEventListener("click", () => chart.select([]));
  element("take").addEventListener("click", () => {
    const rows = [];
    for (let i = 0; i < chart.count; i++) if (!(chart.states[i] & HIDDEN)) rows.push(i);
    chart.select(rows, element("mode").value);
  });
  const place = row => [chart.x, chart.y].map((axis, i) => +(info.corner[i] + (axis[row] / 65535) * info.extent).toPrecision(6));
  const saving = (id, make, name, type) => element(id).addEventListener("click", async () => {
    element(id).disabled = true;
    try {
      save(`${info.name}-selection.${name}`, type, await make(chart.selection()));
    } catch (error) {
      element("count").textContent = `This selection cannot be saved: ${error.message}`;
    }
    element(id).disabled = false;
  });
  saving("csv", rows => csvOf(data, rows, place), "csv", "text/csv");
  if (data.molecules) saving("sdf", rows => sdfOf(data, rows), "sdf", "chemical/x-mdl-sdfile");
  else element("sdf").hidden = true;
}

start().catch(error => {
  element("count").textContent = `This page cannot be drawn: ${error.message}`;
  throw error;
});
