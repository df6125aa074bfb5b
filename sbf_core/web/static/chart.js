// Values of a chart under the pointer, and to the arrow keys. Without this script the table below the chart has them all.
"use strict";
(() => {
  const part = (kind, parent, text = "") => {
    const made = document.createElement(kind === "dt" || kind === "dd" ? kind : "div");
    if (made.localName === "div") made.className = kind;
    made.textContent = text;
    parent.append(made);
    return made;
  };

  const follow = (figure) => {
    const plot = figure.querySelector(".plot");
    const image = plot.querySelector("img");
    const hair = part("hair", plot);
    const dots = part("dots", plot);
    const said = part("said", plot);
    const cursor = part("cursor", plot);
    const named = { role: "slider", tabindex: "0", "aria-label": "Values of the chart, by arrow keys", "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0", "aria-valuetext": "none chosen" };
    for (const [name, value] of Object.entries(named)) cursor.setAttribute(name, value);
    let source = "", stops = [], names = [], colours = false, at = -1, asked = null;

    // The picture that the browser chose says where its stops are; another width has others.
    const load = () => {
      const shown = image.currentSrc || image.src;
      if (shown === source) return asked;
      source = shown;
      at = -1;
      asked = fetch(shown.replace(".svg?", ".json?")).then((answer) => (answer.ok ? answer.json() : { names: [], stops: [], colours: false })).then((found) => {
        ({ names, stops, colours } = found);
        cursor.setAttribute("aria-valuemax", String(Math.max(0, stops.length - 1)));
      }).catch(() => { source = ""; });
      return asked;
    };

    const hide = () => {
      figure.classList.remove("told");
      at = -1;
    };

    const show = (place) => {
      const stop = stops[place];
      if (!stop) return hide();
      at = place;
      const high = stop.y !== undefined;
      hair.style.left = `${stop.x * 100}%`;
      hair.hidden = high;
      dots.replaceChildren();
      for (const [series, , y] of high ? [[stop.values[0][0], "", stop.y]] : stop.values) {
        if (y === undefined) continue;
        const dot = part(`dot s${high ? "x" : series % 8}`, dots);
        dot.style.left = `${stop.x * 100}%`;
        dot.style.top = `${y * 100}%`;
      }
      said.replaceChildren();
      if (stop.label) part("label", said, stop.label);
      const list = said.appendChild(document.createElement("dl"));
      for (const [series, text] of stop.values) {
        part("dt", list, names[series] || "").className = colours ? `s${series % 8}` : "";
        part("dd", list, text);
      }
      said.classList.toggle("left", stop.x > 0.55);
      said.style.setProperty("--at", `${stop.x * 100}%`);
      said.style.setProperty("--rest", `${(1 - stop.x) * 100}%`);
      const values = stop.values.map(([series, text]) => [names[series], text].filter(Boolean).join(" ")).join(", ");
      cursor.setAttribute("aria-valuenow", String(place));
      cursor.setAttribute("aria-valuetext", [stop.label, values].filter(Boolean).join(": "));
      figure.classList.add("told");
    };

    const nearest = (x, y, width, height) => {
      let best = -1, least = Infinity;
      stops.forEach((stop, place) => {
        const across = (stop.x - x) * width, down = stop.y === undefined ? 0 : (stop.y - y) * height;
        const distance = across * across + down * down;
        if (distance < least) [best, least] = [place, distance];
      });
      return best;
    };

    // Up and down lead to the next row of a heat map; elsewhere they are as right and left.
    const row = (step) => {
      const here = stops[at];
      const rows = [...new Set(stops.map((stop) => stop.y))].sort((one, other) => one - other);
      const y = rows[rows.indexOf(here.y) + step];
      if (y === undefined) return at;
      return stops.reduce((best, stop, place) => (stop.y === y && (best < 0 || Math.abs(stop.x - here.x) < Math.abs(stops[best].x - here.x)) ? place : best), -1);
    };

    cursor.addEventListener("pointermove", async (event) => {
      const room = plot.getBoundingClientRect();
      const [x, y] = [(event.clientX - room.left) / room.width, (event.clientY - room.top) / room.height];
      await load();
      show(nearest(x, y, room.width, room.height));
    });
    cursor.addEventListener("pointerleave", () => { if (document.activeElement !== cursor) hide(); });
    cursor.addEventListener("blur", hide);
    cursor.addEventListener("keydown", async (event) => {
      const far = Math.max(1, Math.round(stops.length / 10));
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, PageUp: far, PageDown: -far, Home: -Infinity, End: Infinity, Escape: 0 };
      if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (event.key === "Escape") return hide();
      await load();
      const rows = stops.length > 0 && stops[0].y !== undefined && stops.some((stop) => stop.y !== stops[0].y);
      if (at < 0) return show(["ArrowLeft", "ArrowDown", "PageDown", "End"].includes(event.key) ? stops.length - 1 : 0);
      if (rows && event.key.startsWith("Arrow") && /Up|Down/.test(event.key)) return show(row(event.key === "ArrowUp" ? -1 : 1));
      show(Math.min(stops.length - 1, Math.max(0, at + steps[event.key])));
    });
  };

  document.querySelectorAll("[data-chart]").forEach(follow);
})();
