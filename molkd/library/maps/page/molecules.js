"use strict";
// Molecules of a page: read from packed bytes (molkd/library/depictions.py says how they are packed),
// and drawn as SVG. Knows nothing of the page around it.

const UNIT = 0.75 / 26; // Ångström per step of a coordinate
const SYMBOLS = ("* H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se " +
  "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu " +
  "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs " +
  "Mt Ds Rg Cn Nh Fl Mc Lv Ts Og").split(" ");
const FIRST_HYDROGEN = new Set(["O", "S", "Se", "Te", "F", "Cl", "Br", "I"]);
const SINGLE = 1, DOUBLE = 2, TRIPLE = 3, AROMATIC = 4, DATIVE = 9;
const WEDGE = 1, HASH = 2, EITHER = 3, UNSAID = 4;

const unzigzag = number => (number >> 1) ^ -(number & 1);

async function inflate(base64) {
  const text = atob(base64);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Reads a block: an array of {atoms: [{z, h, charge, radical, isotope, x, y}], bonds: [{a, b, type, direction}]}.
function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [count, atomCount, bondCount] = [0, 4, 8].map(place => view.getUint32(place, true));
  let offset = 12;
  const column = length => {
    const numbers = new Uint16Array(length);
    for (let i = 0; i < length; i++) numbers[i] = bytes[offset + i] | (bytes[offset + length + i] << 8);
    offset += 2 * length;
    return numbers;
  };
  const atomsOf = column(count), bondsOf = column(count);
  const [element, charge, isotope, right, up] = Array.from({ length: 5 }, () => column(atomCount));
  const [later, back, kind] = Array.from({ length: 3 }, () => column(bondCount));
  const molecules = [];
  let atom = 0, bond = 0;
  for (let m = 0; m < count; m++) {
    const bound = new Map(), bonds = [], atoms = [];
    let end = 0;
    for (const stop = bond + bondsOf[m]; bond < stop; bond++) {
      end += later[bond];
      const start = end - back[bond];
      if (!bound.has(end)) bound.set(end, start);
      const [a, b] = kind[bond] & 128 ? [end, start] : [start, end];
      bonds.push({ a, b, type: kind[bond] & 15, direction: (kind[bond] >> 4) & 7 });
    }
    for (let i = 0; i < atomsOf[m]; i++, atom++) {
      const from = atoms[bound.get(i) ?? i - 1] ?? { stepX: 0, stepY: 0 };
      const stepX = from.stepX + unzigzag(right[atom]), stepY = from.stepY + unzigzag(up[atom]);
      atoms.push({
        z: element[atom] & 255, h: element[atom] >> 8, isotope: isotope[atom],
        charge: unzigzag(charge[atom] & 255), radical: charge[atom] >> 8,
        stepX, stepY, x: stepX * UNIT, y: stepY * UNIT,
      });
    }
    molecules.push({ atoms, bonds });
  }
  return molecules;
}

// Molecules by number, of which a block is read when one of it is asked for.
class Molecules {
  constructor(textOf, size, kept = 24) { // textOf(block) -> base64; "" where there are no drawings
    this.textOf = textOf;
    this.size = size;
    this.kept = kept;
    this.blocks = new Map();
  }
  async at(number) {
    const block = Math.floor(number / this.size);
    if (!this.blocks.has(block)) {
      this.blocks.set(block, inflate(this.textOf(block)).then(unpack));
      if (this.blocks.size > this.kept) this.blocks.delete(this.blocks.keys().next().value);
    }
    return (await this.blocks.get(block))[number % this.size];
  }
}

// -- drawing -----------------------------------------------------------------------------------------

function svgElement(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const round = number => Math.round(number * 100) / 100;

// Draws a molecule into an SVG of this size; bonds are at most 26 units long. Null where there is nothing to draw.
function drawing(molecule, width, height) {
  if (!molecule || !molecule.atoms.length) return null;
  const { points, length } = placed(molecule, width, height);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, class: "molecule", role: "img", "aria-label": "structure" });
  svg.style.setProperty("--bond", round(Math.max(0.7, Math.min(1.5, length / 15))));
  const near = neighbours(molecule);
  for (const bond of molecule.bonds) drawBond(svg, bond, points, length, near, molecule);
  molecule.atoms.forEach((atom, i) => drawAtom(svg, atom, i, points, length, near));
  return svg;
}

function placed(molecule, width, height) {
  const xs = molecule.atoms.map(atom => atom.x), ys = molecule.atoms.map(atom => atom.y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min(26 / 1.5, (width - 36) / Math.max(right - left, 0.1), (height - 28) / Math.max(high - low, 0.1));
  const points = molecule.atoms.map(atom => ({
    x: width / 2 + (atom.x - (left + right) / 2) * scale,
    y: height / 2 - (atom.y - (low + high) / 2) * scale,
  }));
  return { points, length: 1.5 * scale };
}

function neighbours(molecule) {
  const near = molecule.atoms.map(() => []);
  for (const { a, b } of molecule.bonds) {
    near[a].push(b);
    near[b].push(a);
  }
  return near;
}

// The atoms of a smallest ring of at most 8 atoms through a bond, or null.
function ring(a, b, near) {
  const from = new Map([[a, -1]]);
  let edge = [a];
  for (let depth = 0; depth < 7 && edge.length; depth++) {
    const next = [];
    for (const atom of edge) {
      for (const other of near[atom]) {
        if (from.has(other) || (atom === a && other === b)) continue;
        from.set(other, atom);
        if (other === b) {
          const path = [];
          for (let at = b; at !== -1; at = from.get(at)) path.push(at);
          return path;
        }
        next.push(other);
      }
    }
    edge = next;
  }
  return null;
}

function drawBond(svg, bond, points, length, near, molecule) {
  const p = points[bond.a], q = points[bond.b];
  const dx = q.x - p.x, dy = q.y - p.y, size = Math.hypot(dx, dy) || 1;
  const nx = -dy / size, ny = dx / size; // across the bond
  const line = (shift, trim = 0, kind = "bond") => svg.append(svgElement("line", {
    class: kind,
    x1: round(p.x + nx * shift + dx * trim), y1: round(p.y + ny * shift + dy * trim),
    x2: round(q.x + nx * shift - dx * trim), y2: round(q.y + ny * shift - dy * trim),
  }));
  const gap = Math.min(length * 0.16, 4.5);
  if (bond.type === SINGLE && bond.direction === WEDGE) {
    const w = gap * 0.85;
    svg.append(svgElement("polygon", { class: "wedge", points:
      `${round(p.x)},${round(p.y)} ${round(q.x + nx * w)},${round(q.y + ny * w)} ${round(q.x - nx * w)},${round(q.y - ny * w)}` }));
  } else if (bond.type === SINGLE && (bond.direction === HASH || bond.direction === EITHER)) {
    drawAcross(svg, p, dx, dy, nx, ny, gap * 0.85, Math.max(4, Math.round(size / 3.2)), bond.direction);
  } else if (bond.type === DOUBLE || bond.type === AROMATIC) {
    const side = sideOf(bond, points, near, nx, ny);
    const second = bond.type === AROMATIC ? "bond dashed" : "bond";
    if (bond.direction === EITHER || !side) {
      line(gap / 2);
      line(-gap / 2, 0, second);
    } else {
      line(0);
      line(side * gap, 0.12, second);
    }
  } else {
    line(0, 0, bond.type <= TRIPLE || bond.type === DATIVE ? "bond" : "bond dashed");
    if (bond.type === TRIPLE) [gap, -gap].forEach(shift => line(shift, 0.06));
    if (bond.type === DATIVE) drawArrow(svg, p, dx, dy, nx, ny, gap);
  }
}

// 1 or -1: on which side of a double bond its second line lies; 0: on both.
function sideOf(bond, points, near, nx, ny) {
  const around = ring(bond.a, bond.b, near);
  const p = points[bond.a];
  const side = atom => (points[atom].x - p.x) * nx + (points[atom].y - p.y) * ny;
  if (around) return Math.sign(around.reduce((sum, atom) => sum + side(atom), 0)) || 1;
  if (near[bond.a].length === 1 || near[bond.b].length === 1) return 0;
  const others = [...near[bond.a], ...near[bond.b]].filter(atom => atom !== bond.a && atom !== bond.b);
  const balance = others.reduce((sum, atom) => sum + Math.sign(Math.round(side(atom))), 0);
  return Math.sign(balance) || (others.length ? Math.sign(side(others[0])) || 1 : 0);
}

function drawAcross(svg, p, dx, dy, nx, ny, widest, count, direction) {
  const ends = [];
  for (let i = 1; i <= count; i++) {
    const w = (widest * i) / count, x = p.x + (dx * i) / count, y = p.y + (dy * i) / count;
    if (direction === HASH) {
      svg.append(svgElement("line", { class: "bond", x1: round(x + nx * w), y1: round(y + ny * w), x2: round(x - nx * w), y2: round(y - ny * w) }));
    }
    const sign = i % 2 ? 1 : -1;
    ends.push(`${round(x + nx * w * sign)},${round(y + ny * w * sign)}`);
  }
  if (direction === EITHER) svg.append(svgElement("polyline", { class: "bond", points: `${round(p.x)},${round(p.y)} ${ends.join(" ")}` }));
}

function drawArrow(svg, p, dx, dy, nx, ny, gap) {
  const x = p.x + dx * 0.55, y = p.y + dy * 0.55;
  svg.append(svgElement("polygon", { class: "wedge", points:
    `${round(p.x + dx * 0.75)},${round(p.y + dy * 0.75)} ${round(x + nx * gap)},${round(y + ny * gap)} ${round(x - nx * gap)},${round(y - ny * gap)}` }));
}

function drawAtom(svg, atom, number, points, length, near) {
  const alone = near[number].length === 0;
  if (atom.z === 6 && !atom.charge && !atom.radical && !atom.isotope && !alone) return;
  const size = Math.max(7, Math.min(13.5, length * 0.52));
  const symbol = SYMBOLS[atom.z] ?? "?", { x, y } = points[number];
  const away = near[number].map(other => points[other]);
  const meanX = away.reduce((sum, point) => sum + point.x - x, 0), meanY = away.reduce((sum, point) => sum + point.y - y, 0);
  const group = svgElement("g", { class: `atom atom-${symbol === "*" ? "any" : symbol}`, "font-size": round(size) });
  const sideways = Math.abs(meanX) >= Math.abs(meanY) * 0.8 || near[number].length < 2;
  const half = size * (symbol.length > 1 ? 0.58 : 0.36);
  const base = y + size * 0.36;
  if (atom.isotope) group.append(svgElement("text", { x: round(x - half), y: round(base - size * 0.4), "text-anchor": "end", "font-size": round(size * 0.7) }, atom.isotope));
  group.append(svgElement("text", { x: round(x), y: round(base), "text-anchor": "middle" }, symbol));
  const left = (meanX > 0.5 && sideways) || (alone && FIRST_HYDROGEN.has(symbol)); // HBr, H2O
  let end = x + half;
  if (atom.h) {
    const label = svgElement("text", { "text-anchor": left ? "end" : "start" }, "H");
    if (atom.h > 1) label.append(svgElement("tspan", { "font-size": round(size * 0.7), dy: round(size * 0.2) }, atom.h));
    const below = !sideways && meanY < 0;
    label.setAttribute("x", round(sideways ? (left ? x - half : end) : x - size * 0.36));
    label.setAttribute("y", round(sideways ? base : base + (below ? size * 0.95 : -size * 0.95)));
    if (!sideways) label.setAttribute("text-anchor", "start");
    group.prepend(label);
    if (sideways && !left) end += size * (atom.h > 1 ? 1.15 : 0.72);
  }
  const sign = atom.charge && `${Math.abs(atom.charge) > 1 ? Math.abs(atom.charge) : ""}${atom.charge > 0 ? "+" : "−"}`;
  const marks = `${sign || ""}${"•".repeat(atom.radical)}`;
  if (marks) group.append(svgElement("text", { x: round(end), y: round(base - size * 0.42), "font-size": round(size * 0.75) }, marks));
  svg.append(group);
}
