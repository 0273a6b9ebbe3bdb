// Reads a chart out, one step at a time: by pointer, by finger, by arrow keys. It
// draws over the server's picture and never replaces it; its numbers are those of
// the drawing. It is fetched when somebody first takes a chart's handle.
const kept = new Map(); // where each chart was, for when an open page is drawn anew
const clock = d => d.toLocaleTimeString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" }) + " UTC";
const own = d => d.getTimezoneOffset() ? " (" + d.toLocaleTimeString([], { timeStyle: "short" }) + " your time)" : "";
const number = x => x.toLocaleString("en-GB");

// amount says a value: unknown is not zero, and fewer than three are no number.
const amount = (line, x) => x == null ? "not known" : line.unit ? number(x) + " " + line.unit : x < 3 ? "fewer than 3" : number(x);

const usual = (d, i) => {
  const low = d.low[i], high = d.high[i];
  if (high == null) return [];
  return ["Usual: " + (high < 3 ? "fewer than 3" : low < 3 ? "up to " + number(high) : number(low) + " to " + number(high))];
};

export const take = (pic, hand) => {
  if (hand.dataset.taken) return;
  hand.dataset.taken = "";
  const d = JSON.parse(pic.querySelector("script").textContent);
  const last = Math.max(...d.line.map(l => l.v.length)) - 1;
  if (last < 0) return;
  const read = document.createElement("p"), mark = document.createElementNS("http://www.w3.org/2000/svg", "path");
  read.className = "read";
  read.ariaHidden = "true"; // the handle says the same
  mark.setAttribute("class", "cr");
  pic.after(read);
  hand.setAttribute("aria-valuemax", last);
  const svg = () => [...pic.querySelectorAll("svg.px")].find(s => s.getClientRects().length);
  const steps = () => { const v = svg().viewBox.baseVal, [x, w] = svg().dataset.x.split(" ").map(Number), to = Number(svg().dataset.n); return { v, x, each: w / to }; };
  let at = kept.has(hand.id) ? Math.min(Math.round((kept.get(hand.id) - d.from) / d.step), last) : last;
  const show = i => {
    at = Math.max(0, Math.min(i, last));
    kept.set(hand.id, d.from + at * d.step);
    const t = new Date((d.from + at * d.step) * 1000), { v, x, each } = steps();
    const text = [clock(t) + own(t), ...d.line.map(l => l.name + ": " + amount(l, l.v[at])), ...usual(d, at)].join(". ");
    mark.setAttribute("d", `M${x + (at + .5) * each} 24V${v.height - 24}`);
    svg().append(mark);
    read.textContent = text;
    hand.setAttribute("aria-valuenow", at);
    hand.setAttribute("aria-valuetext", text);
  };
  const point = e => {
    const box = svg().getBoundingClientRect(), { v, x, each } = steps();
    show(Math.floor(((e.clientX - box.left) / box.width * v.width - x) / each));
  };
  const keys = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 12, PageDown: -12, End: Infinity, Home: -Infinity };
  hand.addEventListener("keydown", e => {
    if (!(e.key in keys) || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    show(at + keys[e.key]);
  });
  hand.addEventListener("pointermove", point);
  hand.addEventListener("pointerdown", point);
  hand.addEventListener("focus", () => show(at));
  if (document.activeElement === hand || kept.has(hand.id)) show(at);
};
