"use strict";
// Mouse, fingers and keys on the map.

function listen(chart, modeOf, setTool) {
  const place = event => {
    const box = front.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let moved = 0, pinch = 0;

  front.addEventListener("wheel", event => {
    event.preventDefault();
    chart.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
  }, { passive: false });
  front.addEventListener("dblclick", event => chart.zoom(2, ...place(event)));

  front.addEventListener("pointerdown", event => {
    if (event.button) return;
    front.focus({ preventScroll: true });
    if (event.isTrusted) front.setPointerCapture(event.pointerId);
    chart.pointers.set(event.pointerId, place(event));
    moved = 0;
    chart.drawing = chart.pointers.size > 1 ? "" : event.shiftKey && chart.tool === "move" ? "lasso" : chart.tool === "move" ? "" : chart.tool;
    chart.trail = chart.drawing ? [place(event)] : [];
  });
  front.addEventListener("pointermove", event => {
    const at = place(event), before = chart.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") pointAt(at);
      return;
    }
    const [dx, dy] = [at[0] - before[0], at[1] - before[1]];
    moved += Math.hypot(dx, dy);
    chart.pointers.set(event.pointerId, at);
    if (chart.pointers.size === 2) {
      const [p, q] = [...chart.pointers.values()], apart = Math.hypot(p[0] - q[0], p[1] - q[1]);
      chart.move(-dx / 2 / chart.view.scale, dy / 2 / chart.view.scale);
      if (pinch) chart.zoom(apart / pinch, (p[0] + q[0]) / 2, (p[1] + q[1]) / 2);
      pinch = apart;
    } else if (chart.drawing) {
      chart.trail.push(at);
      chart.draw();
    } else {
      if (moved > 4) chart.point(-1);
      chart.move(-dx / chart.view.scale, dy / chart.view.scale);
    }
  });
  const end = event => {
    if (!chart.pointers.delete(event.pointerId)) return;
    pinch = 0;
    if (event.type === "pointercancel") chart.trail = [];
    else if (chart.drawing && chart.trail.length > 1 && moved > 4) chart.finish(modeOf(event));
    else if (moved <= 4) tap(place(event), event);
    chart.drawing = "";
    chart.trail = [];
    chart.draw();
  };
  front.addEventListener("pointerup", end);
  front.addEventListener("pointercancel", end);
  front.addEventListener("pointerleave", () => chart.point(-1));

  let waiting = 0;
  function pointAt(at) {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      const row = chart.near(...at);
      if (row !== chart.pointed) chart.point(row);
    });
  }
  // A click selects what it hits, or takes it out of the selection; a finger's first tap shows it.
  function tap(at, event) {
    const row = chart.near(...at, event.pointerType === "touch" ? 18 : 10);
    if (row >= 0 && (event.pointerType !== "touch" || row === chart.pointed)) {
      chart.select([row], chart.states[row] & SELECTED ? "remove" : "add");
    }
    if (row !== chart.pointed) chart.point(row);
  }

  front.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60 / chart.view.scale;
    const acts = {
      ArrowLeft: () => chart.move(-step, 0), ArrowRight: () => chart.move(step, 0),
      ArrowUp: () => chart.move(0, step), ArrowDown: () => chart.move(0, -step),
      "+": () => chart.zoom(1.4), "=": () => chart.zoom(1.4), "-": () => chart.zoom(1 / 1.4),
      0: () => { chart.fit(); chart.draw(); },
      m: () => setTool("move"), b: () => setTool("box"), l: () => setTool("lasso"),
      Escape: () => { chart.trail = []; chart.drawing = ""; setTool("move"); chart.point(-1); },
      Enter: () => { if (chart.pointed >= 0) chart.select([chart.pointed], chart.states[chart.pointed] & SELECTED ? "remove" : "add"); },
      " ": () => chart.point(chart.near(front.clientWidth / 2, front.clientHeight / 2, Math.max(front.clientWidth, front.clientHeight))),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
}
