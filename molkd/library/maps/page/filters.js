"use strict";
// Filters of a page: which rows are shown. Each is an element with a test(row); all must hold.

class Filters {
  // place: where they are put; adder: a <select> of columns; text: the field that is searched for.
  constructor(data, place, adder, text, changed) {
    Object.assign(this, { data, place, adder, text, changed, active: new Map(), search: null });
    data.info.columns.forEach((column, number) => {
      if (column.kind !== "text") adder.append(new Option(column.name, number));
    });
    adder.hidden = adder.options.length < 2;
    adder.addEventListener("change", () => this.add(Number(adder.value)));
    let waiting = 0;
    text.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.find(text.value.trim()), 200);
    });
  }

  // Whether each row is shown: Uint8Array of 0 and 1.
  shown() {
    const tests = [...this.active.values(), ...(this.search ? [this.search] : [])];
    const shown = new Uint8Array(this.data.info.rows).fill(1);
    for (const test of tests) for (let i = 0; i < shown.length; i++) if (shown[i] && !test(i)) shown[i] = 0;
    return shown;
  }

  async find(words) {
    if (!words) this.search = null;
    else {
      const [ids, smiles] = await Promise.all([this.data.allTexts("ids"), this.data.allTexts("smiles")]);
      if (this.text.value.trim() !== words) return;
      const lower = words.toLowerCase();
      this.search = row => ids[row].toLowerCase().includes(lower) || smiles[row].includes(words);
    }
    this.changed();
  }

  async add(number) {
    this.adder.value = "";
    if (this.active.has(number)) return;
    const column = this.data.info.columns[number];
    this.active.set(number, () => true);
    const values = await this.data.numbers(number);
    const box = document.createElement("fieldset"), title = document.createElement("div"), drop = document.createElement("button");
    box.className = "filter";
    title.className = "title";
    Object.assign(drop, { type: "button", textContent: "×", title: `Remove the filter of ${column.name}` });
    drop.setAttribute("aria-label", drop.title);
    drop.addEventListener("click", () => {
      this.active.delete(number);
      box.remove();
      this.changed();
    });
    title.append(column.name, drop);
    box.append(title);
    this.place.append(box);
    const set = test => {
      this.active.set(number, test);
      this.changed();
    };
    if (column.kind === "number") this.range(box, column, values, set);
    else this.choices(box, column, values, set);
  }

  range(box, column, values, set) {
    const bins = 40, { least, most } = column, margin = 0.15 * (column.high - column.low);
    const first = Math.max(least, column.low - margin), last = Math.min(most, column.high + margin); // outliers: at the ends
    const width = (last - first) / bins || 1, counts = new Array(bins).fill(0);
    const bin = value => Math.max(0, Math.min(bins - 1, Math.floor((value - first) / width)));
    for (const value of values) if (Number.isFinite(value)) counts[bin(value)]++;
    const bars = svgElement("svg", { viewBox: `0 0 ${bins} 34`, preserveAspectRatio: "none", class: "bars", "aria-hidden": "true" });
    const highest = Math.max(...counts, 1);
    const drawn = counts.map((count, i) => {
      const height = count && Math.max(1, (34 * count) / highest);
      return bars.appendChild(svgElement("rect", { x: i + 0.08, y: 34 - height, width: 0.84, height }));
    });
    const row = document.createElement("div");
    row.className = "row";
    const field = (label, value) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "number", step: "any", placeholder: shortly(value) });
      input.setAttribute("aria-label", `${column.name}, ${label}`);
      input.addEventListener("input", () => apply());
      return input;
    };
    const [low, high] = [field("at least", least), field("at most", most)];
    const apply = () => {
      const from = low.value === "" ? -Infinity : Number(low.value), to = high.value === "" ? Infinity : Number(high.value);
      drawn.forEach((bar, i) => bar.classList.toggle("out", first + (i + 1) * width < from || first + i * width > to));
      set(i => values[i] >= from && values[i] <= to);
    };
    row.append(low, "to", high);
    box.append(bars, row);
    low.focus({ preventScroll: true });
    if (column.missing) set(i => !Number.isNaN(values[i]));
  }

  choices(box, column, values, set) {
    const list = document.createElement("div"), wanted = new Uint8Array(column.labels.length + 1).fill(1);
    list.className = "choices";
    const choice = (label, count, code) => {
      const line = document.createElement("label"), tick = document.createElement("input"), number = document.createElement("span");
      Object.assign(tick, { type: "checkbox", checked: true });
      tick.addEventListener("change", () => {
        wanted[code] = tick.checked ? 1 : 0;
        set(i => wanted[values[i]]);
      });
      number.textContent = count.toLocaleString("en");
      line.append(tick, label, number);
      list.append(line);
    };
    column.labels.slice(0, 200).forEach((label, i) => choice(label, column.counts[i], i + 1));
    if (column.missing) choice("missing", column.missing, 0);
    const none = Object.assign(document.createElement("button"), { type: "button", textContent: "none / all" });
    none.addEventListener("click", () => {
      const all = !wanted.some(Boolean);
      wanted.fill(all ? 1 : 0);
      list.querySelectorAll("input").forEach(tick => (tick.checked = all));
      set(i => wanted[values[i]]);
    });
    box.append(none, list);
  }
}
