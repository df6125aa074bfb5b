// Live refresh: while a run works, its part of the page is asked for again. Without this script the page reloads itself.
"use strict";
(() => {
  const place = document.getElementById("live");
  if (!place) return;
  let working = place.dataset.live === "1";
  const look = async () => {
    try {
      const answer = await fetch("/live", { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = part.querySelector("section.live") !== null;
      if (working && !now) return location.reload();
      if (now && document.activeElement && place.contains(document.activeElement)) return;
      place.replaceChildren(...part.body.childNodes);
      working = now;
    } catch {
      // the pages were closed; the next look tells
    }
  };
  setInterval(() => { if (!document.hidden) look(); }, working ? 1000 : 2000);
})();
