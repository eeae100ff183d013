"use strict";
// A list of drawn molecules, a few at a time: of a selection, of neighbours, of clusters.

class Cards {
  // list: <ul class="cards">; more: <button>; facts(row) -> {molecule, smiles, title, lines}, awaited.
  constructor(list, more, facts, { chosen, dropped, pointed } = {}) {
    Object.assign(this, { list, more, facts, chosen, dropped, pointed, rows: [], shown: 0, step: 24, version: 0 });
    more.addEventListener("click", () => this.extend());
  }

  show(rows) {
    this.rows = rows;
    this.shown = 0;
    this.version++;
    this.list.replaceChildren();
    this.extend();
  }

  async extend() {
    const next = this.rows.slice(this.shown, this.shown + this.step), version = this.version;
    this.shown += next.length;
    this.more.hidden = this.shown >= this.rows.length;
    this.more.textContent = `Show more (${(this.rows.length - this.shown).toLocaleString("en")} left)`;
    const places = next.map(() => this.list.appendChild(document.createElement("li")));
    const told = await Promise.all(next.map(row => this.facts(row)));
    if (version === this.version) next.forEach((row, i) => this.fill(places[i], row, told[i]));
  }

  // Says anew what stands below the drawings.
  async refresh() {
    const version = this.version, items = [...this.list.children];
    const told = await Promise.all(items.map((_, i) => this.facts(this.rows[i])));
    if (version === this.version) items.forEach((item, i) => this.tell(item, told[i].lines));
  }

  fill(item, row, { molecule, smiles, title, lines }) {
    const structure = document.createElement("button"), name = document.createElement("b");
    structure.type = "button";
    structure.className = "structure";
    structure.title = title;
    structure.setAttribute("aria-label", title);
    structure.append(structureOf(molecule, smiles, 180, 120));
    name.textContent = title;
    item.replaceChildren(structure, name);
    this.tell(item, lines);
    if (this.chosen) structure.addEventListener("click", () => this.chosen(row));
    if (this.pointed) {
      item.addEventListener("pointerenter", () => this.pointed(row));
      item.addEventListener("pointerleave", () => this.pointed(-1));
    }
    if (this.dropped) {
      const drop = document.createElement("button");
      Object.assign(drop, { type: "button", className: "drop", textContent: "×", title: `Remove ${title}` });
      drop.setAttribute("aria-label", `Remove ${title}`);
      drop.addEventListener("click", () => this.dropped(row));
      item.append(drop);
    }
  }

  tell(item, lines) {
    item.querySelectorAll("small").forEach(line => line.remove());
    for (const text of lines) {
      const line = document.createElement("small");
      line.textContent = line.title = text;
      item.append(line);
    }
  }
}

// The drawing of a molecule, or its SMILES where there is none.
function structureOf(molecule, smiles, width, height) {
  const drawn = drawing(molecule, width, height);
  if (drawn) return drawn;
  const text = document.createElement("div");
  text.className = "smiles";
  text.textContent = smiles;
  return text;
}
