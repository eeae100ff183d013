"use strict";
// Colours of values, and the legend that says what they mean.

const SCHEMES = {
  light: { ramp: RAMP_LIGHT, kinds: KINDS_LIGHT },
  dark: { ramp: RAMP_DARK, kinds: KINDS_DARK },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const scheme = () => SCHEMES[dark.matches ? "dark" : "light"];
const hex = text => [1, 3, 5].map(place => parseInt(text.slice(place, place + 2), 16));
const token = name => hex(getComputedStyle(document.documentElement).getPropertyValue(name).trim());

// A colour between those of a ramp; share is 0 to 1.
function between(ramp, share) {
  const place = share * (ramp.length - 1), first = Math.min(Math.floor(place), ramp.length - 2), rest = place - first;
  const [a, b] = [hex(ramp[first]), hex(ramp[first + 1])];
  return a.map((part, i) => Math.round(part + (b[i] - part) * rest));
}

// 256 RGBA colours: missing first, then those of a column's codes.
function paletteOf(column, alpha) {
  const palette = new Uint8Array(1024), { ramp, kinds } = scheme();
  const set = (place, rgb) => palette.set([...rgb, alpha], 4 * place);
  set(0, token("--missing"));
  for (let code = 1; code < 256; code++) {
    if (!column) set(code, hex(kinds[0]));
    else if (column.kind === "number") set(code, between(ramp, (code - 1) / 254));
    else set(code, hex(kinds[Math.min(code - 1, kinds.length - 1)]));
  }
  return palette;
}

// The code of every row: 0 missing, 1 to 255 along the ramp, or 1 and up by category, the last for all others.
function codesOf(column, values, count) {
  const codes = new Uint8Array(count);
  if (!column) return codes.fill(1);
  if (column.kind === "category") {
    const last = scheme().kinds.length;
    for (let i = 0; i < count; i++) codes[i] = Math.min(values[i], last);
    return codes;
  }
  const { low, high } = column, width = high - low || 1;
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (!Number.isNaN(value)) codes[i] = 1 + Math.round(254 * Math.max(0, Math.min(1, (value - low) / width)));
  }
  return codes;
}

function showLegend(place, column) {
  place.replaceChildren();
  if (!column) return;
  const { ramp, kinds } = scheme(), list = document.createElement("ul");
  list.className = "legend";
  const entry = (color, label, count) => {
    const item = document.createElement("li"), mark = document.createElement("i"), number = document.createElement("span");
    mark.style.background = color;
    number.textContent = count.toLocaleString("en");
    item.append(mark, label, number);
    list.append(item);
  };
  if (column.kind === "number") {
    const bar = document.createElement("div"), ends = document.createElement("div");
    bar.className = "ramp";
    bar.style.background = `linear-gradient(to right, ${ramp.join(", ")})`;
    ends.className = "ends";
    const beyond = [column.low > column.least ? "≤ " : "", column.high < column.most ? "≥ " : ""];
    for (const text of [beyond[0] + shortly(column.low), shortly((column.low + column.high) / 2), beyond[1] + shortly(column.high)]) {
      ends.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    place.append(bar, ends);
  } else {
    const shown = column.labels.length > kinds.length ? kinds.length - 1 : column.labels.length;
    column.labels.slice(0, shown).forEach((label, i) => entry(kinds[i], label, column.counts[i]));
    const others = column.counts.slice(shown);
    if (others.length) entry(kinds.at(-1), `${others.length} others`, others.reduce((sum, count) => sum + count, 0));
  }
  if (column.missing) entry("var(--missing)", "missing", column.missing);
  if (list.children.length) place.append(list);
}
