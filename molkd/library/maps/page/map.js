"use strict";
// The map itself: what is seen, pointed at and selected.

const element = id => document.getElementById(id);
const stage = element("stage"), front = element("front"), tip = element("tip");

class Chart {
  constructor(data, x, y) {
    Object.assign(this, { data, x, y, count: x.length, tool: "move", pointed: -1, color: -1, pointers: new Map(), trail: [] });
    this.points = new Points(element("back"), x, y);
    this.grid = new Grid(x, y, this.count > 2e5 ? 1024 : 512);
    this.states = new Uint8Array(this.count);
    this.codes = new Uint8Array(this.count).fill(1);
    this.fit();
  }

  // -- view ------------------------------------------------------------------------------------------

  fit() {
    this.scale0 = 0.94 * Math.min(front.clientWidth, front.clientHeight - 40);
    this.view = { x: 0.5, y: 0.5 + 16 / this.scale0, scale: this.scale0 };
  }
  toMap(px, py) {
    const { x, y, scale } = this.view;
    return [x + (px - front.clientWidth / 2) / scale, y - (py - front.clientHeight / 2) / scale];
  }
  toStage(row) {
    const { x, y, scale } = this.view;
    return [front.clientWidth / 2 + (this.x[row] / 65535 - x) * scale, front.clientHeight / 2 - (this.y[row] / 65535 - y) * scale];
  }
  zoom(factor, px = front.clientWidth / 2, py = front.clientHeight / 2) {
    const before = this.toMap(px, py), { view } = this;
    view.scale = Math.max(this.scale0 / 3, Math.min(this.scale0 * 1500, view.scale * factor));
    const after = this.toMap(px, py);
    this.move(before[0] - after[0], before[1] - after[1]);
  }
  move(dx, dy) {
    const clip = part => Math.max(-0.2, Math.min(1.2, part));
    this.view.x = clip(this.view.x + dx);
    this.view.y = clip(this.view.y + dy);
    this.draw();
  }
  centre(row) {
    Object.assign(this.view, { x: this.x[row] / 65535, y: this.y[row] / 65535, scale: Math.max(this.view.scale, this.scale0 * 4) });
    this.point(row);
  }
  get size() {
    const room = Math.sqrt((this.scale0 * this.scale0) / Math.max(this.count, 1));
    return Math.min(14, Math.max(2.4, Math.min(9, room)) * Math.pow(Math.max(1, this.view.scale / this.scale0), 0.45));
  }

  // -- drawing ---------------------------------------------------------------------------------------

  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.points.draw(this.view, this.size, { ink: token("--ink"), hidden: token("--hidden") });
      this.drawFront();
    });
  }
  drawFront() {
    const ratio = devicePixelRatio || 1, pen = front.getContext("2d");
    const width = Math.round(front.clientWidth * ratio), height = Math.round(front.clientHeight * ratio);
    if (front.width !== width || front.height !== height) Object.assign(front, { width, height });
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const css = name => getComputedStyle(document.documentElement).getPropertyValue(name);
    pen.strokeStyle = css("--accent");
    pen.lineWidth = 2;
    if (this.pointed >= 0) {
      pen.beginPath();
      pen.arc(...this.toStage(this.pointed), Math.max(6, this.size / 2 + 3), 0, 7);
      pen.stroke();
    }
    if (this.trail.length > 1) {
      pen.beginPath();
      this.corners().forEach(corner => pen.lineTo(...corner));
      pen.closePath();
      pen.stroke();
      pen.globalAlpha = 0.12;
      pen.fillStyle = css("--accent");
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
  paint() {
    const column = this.data.info.columns[this.color];
    this.points.paint(this.codes, this.states, paletteOf(column, this.count > 20000 ? 215 : 235));
    this.draw();
  }
  async colorBy(number) {
    const column = this.data.info.columns[number], values = column && (await this.data.numbers(number));
    this.color = column ? number : -1;
    this.codes = codesOf(column, values, this.count);
    showLegend(element("legend"), column);
    this.paint();
  }

  // -- pointing --------------------------------------------------------------------------------------

  near(px, py, reach = 10) {
    const [x, y] = this.toMap(px, py);
    return this.grid.nearest(x, y, reach / this.view.scale, row => !(this.states[row] & HIDDEN));
  }
  async point(row) {
    this.pointed = row;
    this.draw();
    if (row < 0) {
      tip.hidden = true;
      return;
    }
    const { molecule, smiles, title, lines } = await this.data.facts(row, this.color);
    if (row !== this.pointed) return;
    const name = document.createElement("b"), structure = document.createElement("div");
    name.textContent = title;
    structure.className = "structure";
    structure.append(structureOf(molecule, smiles, 210, 140));
    const texts = lines.map(text => Object.assign(document.createElement("small"), { textContent: text }));
    tip.replaceChildren(structure, name, ...texts);
    tip.dataset.row = row;
    tip.hidden = false;
    const [px, py] = this.toStage(row), wide = tip.offsetWidth, high = tip.offsetHeight;
    const left = px + 16 + wide > stage.clientWidth ? px - 16 - wide : px + 16;
    tip.style.left = `${Math.max(4, Math.min(stage.clientWidth - wide - 4, left))}px`;
    tip.style.top = `${Math.max(4, Math.min(stage.clientHeight - high - 4, py - high / 2))}px`;
  }

  // -- selecting -------------------------------------------------------------------------------------

  corners() {
    if (this.drawing !== "box") return this.trail;
    const [[left, top], [right, bottom]] = [this.trail[0], this.trail.at(-1)];
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }
  finish(mode) {
    const polygon = this.corners().map(corner => this.toMap(...corner));
    this.trail = [];
    this.select(this.grid.inside(polygon, row => !(this.states[row] & HIDDEN)), mode);
  }
  // mode: "new", "add" or "remove".
  select(rows, mode = "new") {
    if (mode === "new") for (let i = 0; i < this.count; i++) this.states[i] &= ~SELECTED;
    for (const row of rows) {
      if (mode === "remove") this.states[row] &= ~SELECTED;
      else this.states[row] |= SELECTED;
    }
    this.selectionChanged();
    this.paint();
  }
  selection() {
    const rows = [];
    for (let i = 0; i < this.count; i++) if (this.states[i] & SELECTED) rows.push(i);
    return rows;
  }
  filter(shown) {
    for (let i = 0; i < this.count; i++) this.states[i] = (this.states[i] & ~HIDDEN) | (shown[i] ? 0 : HIDDEN);
    if (this.pointed >= 0 && !shown[this.pointed]) this.point(-1);
    this.paint();
  }
}
