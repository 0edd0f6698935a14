// What pages do beyond being read: update by themselves, follow logs, change their theme.
"use strict";

const LONGEST = 5000; // lines of a log that stay on a page
const streams = new Set();

// A stream that rests while nobody looks: browsers allow few connections to one server.
function stream(url, hear) {
  let source = null;
  const own = {
    open() {
      if (source || document.hidden) return;
      source = new EventSource(own.url());
      hear(source, own);
    },
    close() { source?.close(); source = null; },
    end() { own.close(); streams.delete(own); },
    url: typeof url === "function" ? url : () => url,
  };
  streams.add(own);
  own.open();
  return own;
}
document.addEventListener("visibilitychange", () => {
  for (const one of streams) document.hidden ? one.close() : one.open();
});
addEventListener("pagehide", () => { for (const one of streams) one.close(); });
addEventListener("pageshow", () => { for (const one of streams) one.open(); });

// Regions of the page: the server sends each again when it has changed.
const latest = new Map();
const shown = new WeakMap();

function live() {
  const names = [...document.querySelectorAll("[data-live] [data-region]")].map((one) => one.dataset.region);
  if (!names.length) return;
  const following = stream(() => location.pathname + location.search, (source, own) => {
    for (const name of names) {
      source.addEventListener(name, (event) => { latest.set(name, event.data); renew(name); });
    }
    source.addEventListener("gone", () => {
      own.end();
      // The form that deletes what the page shows leads on by itself: a reload would break it off.
      if (!document.querySelector("form[data-sent]")) location.reload();
    });
  });
  // Another search, another page: other regions.
  document.addEventListener("htmx:pushedIntoHistory", () => { following.close(); following.open(); });
}

function renew(name) {
  const region = document.querySelector(`[data-region="${CSS.escape(name)}"]`);
  const html = latest.get(name);
  if (!region || shown.get(region) === html) return;
  if (inUse(region)) { setTimeout(renew, 1000, name); return; }
  shown.set(region, html);
  put(region, html);
}

// What somebody fills in, chooses from or has opened to read is not taken from under their hands.
function inUse(region) {
  if (region.querySelector("details[open]")) return true;
  return document.activeElement?.matches("input:not([type=hidden]), select, textarea")
    && region.contains(document.activeElement);
}

// Nothing that is looked at moves by itself: what becomes shorter keeps its place, and what would
// push others down is scrolled in the place that it has.
function put(region, html) {
  const { height, bottom } = region.getBoundingClientRect();
  const stays = region.scrollTop;
  const atEnd = region.scrollHeight - region.clientHeight - stays < 8;
  const others = bottom > 0 ? standing(region) : [];
  letGo(region);
  htmx.swap(region, html, { swapStyle: "innerHTML", swapDelay: 0, settleDelay: 0 });
  region.style.minHeight = `${height}px`;
  if (others.some(([one, top]) => one.getBoundingClientRect().top > top)) {
    region.style.height = `${height}px`;
    region.classList.add("held");
  }
  region.scrollTop = region.matches("pre") && atEnd ? region.scrollHeight : stays;
}

function letGo(region) {
  region.classList.remove("held");
  region.style.height = region.style.minHeight = "";
}
// Whoever comes back, or turns the device, has not yet put a finger on anything.
function letAllGo() { document.querySelectorAll("[data-region]").forEach(letGo); }
addEventListener("resize", letAllGo);
document.addEventListener("visibilitychange", letAllGo);

// What can be seen of what comes after an element, and where it stands.
function standing(element) {
  const found = [];
  for (let at = element; at && at.id !== "main"; at = at.parentElement) {
    for (let one = at.nextElementSibling; one; one = one.nextElementSibling) {
      const { top, height } = one.getBoundingClientRect();
      if (height && top < innerHeight) found.push([one, top]);
    }
  }
  return found;
}

// A build log: from its beginning, line by line.
function followBuild() {
  const log = document.querySelector("pre[data-follow]");
  if (!log) return;
  let last = 0;
  stream(log.dataset.follow, (source, own) => {
    source.onmessage = (event) => {
      const id = Number(event.lastEventId);
      if (!event.data || id <= last) return;
      if (last === 0) log.textContent = "";
      last = id;
      append(log, document.createTextNode(`${JSON.parse(event.data).text}\n`), LONGEST);
    };
    source.addEventListener("end", () => own.end());
  });
}

// Runtime logs: after the lines that the page came with.
function followLogs() {
  const output = document.querySelector("[data-logs]");
  if (!output || output.following) return;
  output.following = true;
  const lines = output.querySelector(".lines");
  lines.scrollTop = lines.scrollHeight;
  let last = Number(lines.lastElementChild?.dataset.id ?? 0);
  const following = stream(`${output.dataset.logs}&follow=true`, (source, own) => {
    source.onmessage = (event) => {
      if (!output.isConnected) { own.end(); return; }
      const id = Number(event.lastEventId);
      if (!event.data || id <= last) return;
      last = id;
      output.querySelector(".log-state").hidden = true;
      append(lines, line(id, JSON.parse(event.data)), LONGEST);
    };
    source.addEventListener("end", () => own.end());
  });
  document.addEventListener("htmx:beforeSwap", () => following.end(), { once: true });
}

function line(id, said) {
  const row = document.createElement("div");
  row.className = "line";
  row.dataset.id = id;
  row.append(part("time", "", said.at.slice(11, 19)), part("span", "from", `${said.process}.${said.index}`), part("span", "text", said.text));
  return row;
}

function part(kind, name, text) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

// Whoever has scrolled back reads on where they are; whoever is at the end stays there.
function append(log, node, most) {
  const atEnd = log.scrollHeight - log.clientHeight - log.scrollTop < 8;
  log.append(node);
  while (log.childNodes.length > most) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function theme() {
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const present = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = present === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this page */ }
  });
}

// One click is one deployment.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

theme();
live();
followBuild();
followLogs();
document.addEventListener("htmx:afterSettle", followLogs);
