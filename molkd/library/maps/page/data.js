"use strict";
// What a page holds of its library: texts, columns and drawings, each read when it is first asked for.

class Data {
  // info: what the page says of its data; text: base64 pieces one behind the other, which info.pieces finds.
  constructor(info, text) {
    this.info = info;
    this.packed = text;
    this.kept = new Map();
    this.molecules = info.drawings && new Molecules(block => this.piece(`drawings:${block}`), info.block);
  }

  piece(name) {
    const [start, length] = this.info.pieces[name];
    return this.packed.substr(start, length);
  }

  once(name, make) {
    if (!this.kept.has(name)) this.kept.set(name, make());
    return this.kept.get(name);
  }

  async places(axis) {
    return new Uint16Array((await inflate(this.piece(axis))).buffer);
  }

  // ids or smiles of a block of rows.
  texts(kind, block) {
    return this.once(`${kind}:${block}`, async () => JSON.parse(new TextDecoder().decode(await inflate(this.piece(`${kind}:${block}`)))));
  }

  async text(kind, row) {
    const size = this.info.textBlock;
    return (await this.texts(kind, Math.floor(row / size)))[row % size];
  }

  async allTexts(kind) {
    const blocks = Array.from({ length: Math.ceil(this.info.rows / this.info.textBlock) }, (_, block) => this.texts(kind, block));
    return (await Promise.all(blocks)).flat();
  }

  // Numbers (NaN is missing) or places among the labels + 1 (0 is missing).
  numbers(number) {
    const column = this.info.columns[number];
    const Kind = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array }[column.type];
    return this.once(`column:${number}`, async () => new Kind((await inflate(this.piece(`column:${number}`))).buffer));
  }

  // The value of a row as it is written into files; "" where it is missing.
  async value(number, row) {
    const column = this.info.columns[number];
    if (column.kind === "text") return this.text(`column:${number}`, row);
    const value = (await this.numbers(number))[row];
    if (column.kind === "category") return value ? column.labels[value - 1] : "";
    return written(value, column.type);
  }

  // What a card or a tip says of a row.
  async facts(row, number = -1) {
    const [title, smiles, molecule] = await Promise.all([
      this.text("ids", row), this.text("smiles", row), this.molecules ? this.molecules.at(row) : null]);
    const lines = [];
    if (number >= 0) lines.push(`${this.info.columns[number].name}: ${(await this.value(number, row)) || "missing"}`);
    return { molecule, smiles, title: title || `row ${row + 1}`, lines };
  }
}

// A number as text: as many digits as were stored.
function written(value, type) {
  if (Number.isNaN(value)) return "";
  return String(type === "f4" && Number.isFinite(value) ? +value.toPrecision(7) : value);
}

const shortly = value => (Number.isInteger(value) && Math.abs(value) < 1e6 ? value.toLocaleString("en") : String(+value.toPrecision(4)));
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

// -- files -------------------------------------------------------------------------------------------
// Files are lists of their parts: one text of a large selection may be longer than a browser allows.

const quoted = text => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

async function csvOf(data, rows, places) {
  const { columns } = data.info;
  const lines = [["id", "smiles", "x", "y", ...columns.map(column => column.name)].map(quoted).join(",")];
  for (const row of rows) {
    const values = await Promise.all(columns.map((_, number) => data.value(number, row)));
    const fields = [await data.text("ids", row), await data.text("smiles", row), ...places(row), ...values];
    lines.push(fields.map(field => quoted(String(field))).join(","));
  }
  return lines.map(line => `${line}\n`);
}

async function sdfOf(data, rows) {
  const { columns } = data.info, records = [];
  for (const row of rows) {
    const [title, smiles] = await Promise.all([data.text("ids", row), data.text("smiles", row)]);
    const properties = [["id", title], ["smiles", smiles]];
    for (let number = 0; number < columns.length; number++) {
      const value = await data.value(number, row);
      if (value !== "") properties.push([columns[number].name, value]);
    }
    records.push(sdRecord(await data.molecules.at(row), title, properties));
  }
  return records;
}

function save(name, type, parts) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
