"use strict";
// Molecules as molfiles and as records of SD files.

// Valences that a molfile takes for granted where it says nothing.
const VALENCES = { B: [3], C: [4], N: [3], O: [2], F: [1], P: [3, 5], S: [2, 4, 6], Cl: [1], Br: [1], I: [1] };

// Total valence that an atom of a molfile must state, or 0 where it is taken for granted; 15 means none at all.
function statedValence(atom, bonded) {
  const usual = atom.charge || atom.radical ? undefined : VALENCES[SYMBOLS[atom.z]]?.find(valence => valence >= bonded);
  if (usual === bonded + atom.h || atom.z === 0) return 0;
  return bonded + atom.h || 15;
}

function orders(molecule) {
  const sums = molecule.atoms.map(() => 0);
  for (const { a, b, type } of molecule.bonds) {
    const order = type <= TRIPLE ? type : type === AROMATIC ? 1.5 : 0;
    sums[a] += order;
    sums[b] += order;
  }
  return sums.map(Math.ceil);
}

const oneLine = text => String(text).replace(/[\r\n]+/g, " ").trim();
const right = (value, width) => String(value).padStart(width);
const stereo2000 = bond => (bond.type === DOUBLE ? (bond.direction >= EITHER ? 3 : 0) : [0, 1, 6, 4, 0][bond.direction]);
const stereo3000 = bond => (bond.type === DOUBLE ? (bond.direction >= EITHER ? 2 : 0) : [0, 1, 3, 2, 0][bond.direction]);

// A molfile: V2000, or V3000 where a molecule is too large for it or has bonds that it does not know.
function molfile(molecule, title) {
  const { atoms, bonds } = molecule;
  const large = atoms.length > 999 || bonds.length > 999 || bonds.some(bond => bond.type > AROMATIC);
  const name = oneLine(title).slice(0, 80);
  return [name, "  molkd               2D", "", ...(large ? lines3000(molecule) : lines2000(molecule)), "M  END", ""].join("\n");
}

function lines2000(molecule) {
  const { atoms, bonds } = molecule, bonded = orders(molecule);
  const lines = [`${right(atoms.length, 3)}${right(bonds.length, 3)}  0  0  0  0  0  0  0  0999 V2000`];
  atoms.forEach((atom, i) => lines.push(
    `${right(atom.x.toFixed(4), 10)}${right(atom.y.toFixed(4), 10)}${right("0.0000", 10)} ${SYMBOLS[atom.z].padEnd(3)}` +
    ` 0  0  0  0  0${right(statedValence(atom, bonded[i]), 3)}  0  0  0  0  0  0`));
  for (const bond of bonds) lines.push([bond.a + 1, bond.b + 1, bond.type, stereo2000(bond)].map(part => right(part, 3)).join(""));
  const property = (tag, value) => {
    const told = atoms.map((atom, i) => [i + 1, value(atom)]).filter(([, number]) => number);
    for (let start = 0; start < told.length; start += 8) {
      const part = told.slice(start, start + 8);
      lines.push(`M  ${tag}${right(part.length, 3)}${part.map(([i, number]) => `${right(i, 4)}${right(number, 4)}`).join("")}`);
    }
  };
  property("CHG", atom => atom.charge);
  property("ISO", atom => atom.isotope);
  property("RAD", atom => Math.min(atom.radical && atom.radical + 1, 3));
  return lines;
}

function lines3000(molecule) {
  const { atoms, bonds } = molecule, bonded = orders(molecule);
  const lines = ["  0  0  0     0  0            999 V3000", "M  V30 BEGIN CTAB", `M  V30 COUNTS ${atoms.length} ${bonds.length} 0 0 0`, "M  V30 BEGIN ATOM"];
  atoms.forEach((atom, i) => {
    const valence = statedValence(atom, bonded[i]);
    const told = { CHG: atom.charge, RAD: Math.min(atom.radical && atom.radical + 1, 3), MASS: atom.isotope, VAL: valence === 15 ? -1 : valence };
    const words = Object.entries(told).filter(([, number]) => number).map(([key, number]) => ` ${key}=${number}`).join("");
    lines.push(`M  V30 ${i + 1} ${SYMBOLS[atom.z]} ${atom.x.toFixed(4)} ${atom.y.toFixed(4)} 0 0${words}`);
  });
  lines.push("M  V30 END ATOM", "M  V30 BEGIN BOND");
  bonds.forEach((bond, i) => {
    const stereo = stereo3000(bond);
    lines.push(`M  V30 ${i + 1} ${bond.type} ${bond.a + 1} ${bond.b + 1}${stereo ? ` CFG=${stereo}` : ""}`);
  });
  return [...lines, "M  V30 END BOND", "M  V30 END CTAB"];
}

// A record of an SD file; properties are [name, text] pairs.
function sdRecord(molecule, title, properties) {
  const fields = properties.map(([name, text]) => {
    const line = oneLine(text).replace(/^\$\$\$\$/, " $$$$$$$$");
    return `>  <${oneLine(name).replace(/[<>]/g, "_")}>\n${line}\n\n`;
  });
  return `${molfile(molecule, title)}${fields.join("")}$$$$\n`;
}
