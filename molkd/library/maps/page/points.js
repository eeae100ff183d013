"use strict";
// Many points on a canvas: WebGL 2, or plain 2-D drawing where there is none. Knows no molecules.

const VERTEX = `#version 300 es
in vec2 place;
in float code;
in float state;
uniform vec2 centre, zoom;
uniform float size, chosen, others; // others: how opaque what is not selected is
uniform sampler2D palette;
uniform vec4 hidden;
out vec4 color;
flat out float ring;
void main() {
  gl_Position = vec4((place - centre) * zoom, 0.0, 1.0);
  bool out_ = mod(state, 2.0) > 0.5;
  bool selected = state > 1.5;
  ring = selected && others == 1.0 ? 1.0 : 0.0;
  color = out_ ? hidden : texture(palette, vec2((code + 0.5) / 256.0, 0.5));
  if (!selected) color.a *= others;
  gl_PointSize = selected ? chosen : out_ ? size * 0.8 : size;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 color;
flat in float ring;
uniform vec4 ink;
out vec4 result;
void main() {
  float edge = length(gl_PointCoord - 0.5) * 2.0;
  float soft = fwidth(edge);
  float cover = clamp((1.0 - edge) / soft + 0.5, 0.0, 1.0);
  if (cover <= 0.0) discard;
  vec4 paint = ring > 0.5 && edge > 0.62 ? ink : color;
  result = vec4(paint.rgb, paint.a * cover);
}`;

const HIDDEN = 1, SELECTED = 2; // bits of a point's state
const RINGED = 200; // more selected points stand out by the paleness of all others, not by rings

class Points {
  // x and y: Uint16Array, 0 to 65535 is 0 to 1 on the map.
  constructor(canvas, x, y) {
    this.canvas = canvas;
    this.x = x;
    this.y = y;
    this.count = x.length;
    this.order = new Uint32Array(this.count);
    this.gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: false });
    if (this.gl) this.prepare();
    else this.flat = canvas.getContext("2d");
  }

  prepare() {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = name => gl.getUniformLocation(program, name);
    const places = new Uint16Array(2 * this.count);
    for (let i = 0; i < this.count; i++) {
      places[2 * i] = this.x[i];
      places[2 * i + 1] = this.y[i];
    }
    const attribute = (name, data, width, type, normalized) => {
      const buffer = gl.createBuffer(), place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, type, normalized, 0, 0);
      return buffer;
    };
    attribute("place", places, 2, gl.UNSIGNED_SHORT, true);
    this.codeBuffer = attribute("code", new Uint8Array(this.count), 1, gl.UNSIGNED_BYTE, false);
    this.stateBuffer = attribute("state", new Uint8Array(this.count), 1, gl.UNSIGNED_BYTE, false);
    this.orderBuffer = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.orderBuffer);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  // codes: Uint8Array into a palette of 256 RGBA colours, 0 for missing; states: bits, see above.
  paint(codes, states, palette) {
    Object.assign(this, { codes, states, palette });
    this.sort();
    if (!this.gl) return;
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.codeBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, codes, gl.DYNAMIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.stateBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, states, gl.DYNAMIC_DRAW);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.order, gl.DYNAMIC_DRAW);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
  }

  // What is drawn last lies on top: hidden points, missing values, all others, the selection.
  sort() {
    const { codes, states, order, count } = this;
    const level = i => (states[i] & SELECTED ? 3 : states[i] & HIDDEN ? 0 : codes[i] ? 2 : 1);
    const starts = [0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) starts[level(i) + 1]++;
    for (let i = 1; i < 5; i++) starts[i] += starts[i - 1];
    this.many = count - starts[3] > RINGED;
    for (let i = 0; i < count; i++) order[starts[level(i)]++] = i;
  }

  // view: {x, y} in the middle (0 to 1), scale in CSS pixels per 1; style: {ink, hidden} as [r, g, b] 0 to 255.
  draw(view, size, style) {
    const { canvas } = this, ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    if (!this.palette) return;
    const chosen = this.many ? size * 1.25 : Math.max(size * 1.5, 9);
    if (!this.gl) {
      this.drawFlat(view, size * ratio, chosen * ratio, ratio, style);
      return;
    }
    const gl = this.gl, color = rgb => [...rgb.map(part => part / 255), 1];
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.at("centre"), view.x, view.y);
    gl.uniform2f(this.at("zoom"), (2 * view.scale) / canvas.clientWidth, (2 * view.scale) / canvas.clientHeight);
    gl.uniform1f(this.at("size"), size * ratio);
    gl.uniform1f(this.at("chosen"), chosen * ratio);
    gl.uniform1f(this.at("others"), this.many ? 0.08 : 1);
    gl.uniform4fv(this.at("ink"), color(style.ink));
    gl.uniform4fv(this.at("hidden"), color(style.hidden));
    gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 0);
  }

  drawFlat(view, size, chosen, ratio, style) {
    const { flat, canvas, codes, states, palette } = this, scale = view.scale * ratio;
    flat.clearRect(0, 0, canvas.width, canvas.height);
    const css = Array.from({ length: 256 }, (_, i) => `rgb(${palette[4 * i]} ${palette[4 * i + 1]} ${palette[4 * i + 2]})`);
    const hidden = `rgb(${style.hidden.join(" ")})`, ink = `rgb(${style.ink.join(" ")})`;
    for (const i of this.order) {
      const x = canvas.width / 2 + (this.x[i] / 65535 - view.x) * scale, y = canvas.height / 2 - (this.y[i] / 65535 - view.y) * scale;
      if (x < -9 || y < -9 || x > canvas.width + 9 || y > canvas.height + 9) continue;
      flat.globalAlpha = this.many && !(states[i] & SELECTED) ? 0.08 : 1;
      if (states[i] & SELECTED && !this.many) {
        flat.fillStyle = ink;
        flat.fillRect(x - chosen / 2, y - chosen / 2, chosen, chosen);
      }
      flat.fillStyle = states[i] & HIDDEN ? hidden : css[codes[i]];
      flat.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }
}

// Which points are near a place: a grid over the map with the points of each cell.
class Grid {
  constructor(x, y, cells = 512) {
    this.x = x;
    this.y = y;
    this.cells = cells;
    this.starts = new Uint32Array(cells * cells + 1);
    this.points = new Uint32Array(x.length);
    const cell = i => Math.floor((y[i] / 65536) * cells) * cells + Math.floor((x[i] / 65536) * cells);
    for (let i = 0; i < x.length; i++) this.starts[cell(i) + 1]++;
    for (let c = 0; c < cells * cells; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    for (let i = 0; i < x.length; i++) this.points[next[cell(i)]++] = i;
  }

  // Calls back with every point of the cells that a rectangle (0 to 1) touches.
  within(left, low, right, high, told) {
    const { cells, starts, points } = this;
    const clip = part => Math.max(0, Math.min(cells - 1, Math.floor(part * cells)));
    for (let row = clip(low); row <= clip(high); row++) {
      const from = starts[row * cells + clip(left)], to = starts[row * cells + clip(right) + 1];
      for (let k = from; k < to; k++) told(points[k]);
    }
  }

  // The nearest point for which `wanted` holds, or -1.
  nearest(x, y, reach, wanted) {
    let best = -1, least = reach * reach;
    this.within(x - reach, y - reach, x + reach, y + reach, i => {
      const dx = this.x[i] / 65535 - x, dy = this.y[i] / 65535 - y, squared = dx * dx + dy * dy;
      if (squared <= least && wanted(i)) [best, least] = [i, squared];
    });
    return best;
  }

  // The points within a polygon of [x, y] corners, by the even-odd rule.
  inside(polygon, wanted) {
    const xs = polygon.map(corner => corner[0]), ys = polygon.map(corner => corner[1]), found = [];
    this.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), i => {
      const x = this.x[i] / 65535, y = this.y[i] / 65535;
      let odd = false;
      for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
        if (ys[a] > y !== ys[b] > y && x < ((xs[b] - xs[a]) * (y - ys[a])) / (ys[b] - ys[a]) + xs[a]) odd = !odd;
      }
      if (odd && wanted(i)) found.push(i);
    });
    return found;
  }
}
