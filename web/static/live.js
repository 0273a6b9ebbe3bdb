// Keeps an open page current: events from the server, or polling when there are
// none. Adds the reader's own time beside UTC, and a handle to each chart, whose
// script is fetched when somebody takes it. The page is complete without it.
(() => {
  const { base, path, reader } = document.body.dataset, say = document.getElementById("say");
  const local = root => {
    for (const t of root.querySelectorAll("time[data-local]")) {
      const d = new Date(t.dateTime);
      if (!isNaN(d) && d.getTimezoneOffset()) t.title = d.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) + " your time";
      if (t.title && t.dataset.local === "show") t.textContent = t.textContent.replace(/ \(.*\)$/, "") + " (" + d.toLocaleTimeString([], { timeStyle: "short" }) + " your time)";
    }
  };
  const hands = root => root.querySelectorAll(".pic").forEach((pic, i) => {
    const h = document.createElement("div"), take = () => import(reader).then(m => m.take(pic, h)).catch(() => {});
    for (const [k, v] of Object.entries({ id: "hand" + i, class: "hand", role: "slider", tabindex: 0, "aria-label": "Read the chart", "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "Arrow keys go through the numbers" })) h.setAttribute(k, v);
    h.addEventListener("focus", take, { once: true });
    h.addEventListener("pointerenter", take, { once: true });
    pic.append(h);
  });
  const improve = root => {
    local(root);
    hands(root);
    for (const a of root.querySelectorAll("a[data-whole]")) a.textContent = a.href;
  };
  improve(document);
  if (!document.body.hasAttribute("data-live") || !window.fetch) return;
  let busy = false, again = false, last = "", timer;
  const update = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const r = await fetch(location.href, { cache: "no-cache" }); // asks the server, which mostly says 304
      const text = await r.text();
      if (r.ok && text !== last) { last = text; swap(new DOMParser().parseFromString(text, "text/html")); }
    } catch { /* the next event or poll tries again */ }
    busy = false;
    if (again) { again = false; soon(); }
  };
  const swap = page => {
    const old = document.getElementById("main"), neu = page.getElementById("main"), at = document.activeElement;
    if (!neu || (at && at.matches("input,select,textarea") && old.contains(at))) return;
    const key = at && old.contains(at) && (at.id ? "#" + CSS.escape(at.id) : at.getAttribute("href") && `a[href="${CSS.escape(at.getAttribute("href"))}"]`);
    const open = [...old.querySelectorAll("details")].map(d => d.open);
    improve(neu);
    neu.querySelectorAll("details").forEach((d, i) => { d.open = open[i]; });
    old.replaceWith(document.adoptNode(neu));
    if (key) { const f = neu.querySelector(key); if (f) f.focus({ preventScroll: true }); }
    document.title = page.title;
    const s = neu.dataset.say;
    if (s && s !== say.textContent) say.textContent = s;
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(update, 200 + Math.random() * 1800); };
  let poll = 0;
  const polling = on => { clearInterval(poll); poll = on ? setInterval(soon, 30000) : 0; };
  window.addEventListener("online", soon); // back from a tunnel or from sleep
  if (!window.EventSource) { polling(true); return; }
  const es = new EventSource(base + "/events");
  es.addEventListener("change", e => { if (JSON.parse(e.data).pages.includes(path)) soon(); });
  es.onopen = () => polling(false);
  es.onerror = () => { if (!poll) polling(true); };
})();
