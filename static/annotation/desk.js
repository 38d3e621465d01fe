// The annotator's desk: choose, submit, next, without loading the page anew. Each answer of the server brings the parts
// that change ([data-part]); everything else stays where it is.
import { csrfToken } from "../core/http.js";
import { sayStatus, toast } from "../core/toast.js";
import * as clock from "./clock.js";
import { meaning } from "./keys.js";
import * as outbox from "./outbox.js";

const desk = document.querySelector("[data-desk]");
const texts = document.getElementById("desk-texts")?.dataset;
const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
const remembered = (key, value) => {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

let busy = false;
let raw = false;
let retry = null;

// ── What is chosen ───────────────────────────────────────────────────────────
const form = () => $("form#vote"); // null when there is nothing to label
const questions = () => $$("#vote fieldset[data-criterion]");
const checked = (question) => question.querySelector("input:checked");
const now = () => questions().find((question) => question.hasAttribute("data-now")) ?? questions()[0];
const open = () => questions().find((question) => "required" in question.dataset && !checked(question));

function turnTo(question) {
  if (!question) return;
  const name = question.dataset.criterion;
  $$("[data-criterion]").forEach((part) => part.toggleAttribute("data-now", part.dataset.criterion === name));
  $$("[data-chip]").forEach((chip) => {
    if (chip.dataset.chip === name) chip.setAttribute("aria-current", "true");
    else chip.removeAttribute("aria-current");
  });
  show();
}

// The choice is shown twice, on the button and where the text is; nothing moves.
function show() {
  const side = now() && checked(now())?.value[0];
  $$(".pane[data-side]").forEach((pane) => pane.toggleAttribute("data-chosen", pane.dataset.side === side));
  $$(".level").forEach((level) => level.toggleAttribute("data-chosen", document.getElementById(level.htmlFor).checked));
  const answered = questions().filter(checked);
  $$("[data-chip]").forEach((chip) => {
    chip.querySelector(".chip-done").hidden = !answered.some((question) => question.dataset.criterion === chip.dataset.chip);
  });
  const count = $("[data-count]");
  if (count) {
    count.hidden = questions().length < 2;
    count.querySelector("b").textContent = answered.length;
  }
  const submit = $("[data-submit]");
  if (submit) submit.disabled = !answered.length || Boolean(open());
  const note = $('[data-act="note"]');
  if (note) note.setAttribute("aria-pressed", String(Boolean($("#note-text")?.value.trim())));
}

function choose(question, pick) {
  const input = question && [...question.querySelectorAll("input")].find(pick);
  if (!input) return;
  input.checked = true;
  show();
  if ("oneKey" in desk.dataset) submit();
  else turnTo(questions().find((other) => !checked(other)) ?? question);
}

// ── Sending ──────────────────────────────────────────────────────────────────
function say(state, values = {}) {
  const place = $("[data-saved]");
  if (!place) return;
  const warn = state === "kept" || state === "signedOut";
  place.classList.toggle("warn", warn);
  const words = texts[state].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const icons = document.getElementById("desk-texts").content.children;
  place.replaceChildren(...(state === "saving" ? [] : [icons[warn ? 1 : 0].cloneNode(true)]), words);
}

function submit() {
  if (busy || !form()) return;
  const missing = open() ?? (questions().some(checked) ? null : now());
  if (missing) {
    turnTo(missing);
    toast(texts.choose);
    return;
  }
  if ("reason" in desk.dataset && !$("#note-text").value.trim()) {
    $("#note").showModal();
    toast(texts.reason);
    return;
  }
  const body = new URLSearchParams(new FormData(form()));
  body.delete("csrfmiddlewaretoken");
  body.set("seconds", clock.seconds().toFixed(2));
  if (raw) body.set("view", "raw");
  outbox.keep({ url: `${desk.dataset.desk}submit/`, body: String(body) });
  deliver(1);
}

async function ask(url, body) {
  const headers = { "X-Desk": "1", "X-CSRFToken": csrfToken() };
  if (body !== undefined) headers["Content-Type"] = "application/x-www-form-urlencoded";
  return fetch(url, { method: body === undefined ? "GET" : "POST", body, headers, credentials: "same-origin" });
}

// Sends what is kept, again and again until there is an answer.
async function deliver(pause) {
  const entry = outbox.kept();
  if (!entry) return;
  clearTimeout(retry);
  busy = true;
  say("saving");
  let response = null;
  let html = "";
  try {
    response = await ask(entry.url, entry.body);
    html = await response.text();
  } catch {
    response = null;
  }
  if (!response || response.status >= 500 || response.status === 429) {
    say("kept");
    retry = setTimeout(() => deliver(Math.min(pause * 2, 30)), pause * 1000);
    return;
  }
  if (response.status === 401 || response.status === 403) {
    say("signedOut"); // after signing in this page is loaded anew, and sends it then
    if (response.status === 401) saySentence(html);
    else sayStatus(403);
    return;
  }
  busy = false;
  if (!response.ok && html.includes("data-keep")) { // paused: the label is sent when the round goes on
    say("kept");
    swap(html);
    return;
  }
  outbox.clear();
  if (response.ok) say("saved", { time: new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" }).format() });
  else $("[data-saved]")?.replaceChildren();
  if (response.ok || response.status === 409) swap(html);
  else if (!saySentence(html)) sayStatus(response.status);
}

// Skip and flag: nothing is lost when they fail, so they are not kept.
async function setAside(path, fields = {}) {
  if (busy) {
    toast(texts.wait);
    return false;
  }
  busy = true;
  try {
    const body = new URLSearchParams({ lease: $('[name="lease"]').value, ...fields, ...(raw && { view: "raw" }) });
    const response = await ask(`${desk.dataset.desk}${path}/`, String(body));
    const html = await response.text();
    if (response.ok || response.status === 409) swap(html);
    else if (!saySentence(html)) sayStatus(response.status);
    return response.ok || response.status === 409;
  } catch {
    sayStatus(0);
    return false;
  } finally {
    busy = false;
  }
}

// ── The next item ────────────────────────────────────────────────────────────
function saySentence(html) {
  const sentence = new DOMParser().parseFromString(html, "text/html").querySelector("[data-say]")?.textContent;
  if (sentence) toast(sentence);
  return Boolean(sentence);
}

function swap(html, only = "[data-part]") {
  saySentence(html);
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const nothing = fresh.querySelector('[data-part="nothing"]');
  const vote = fresh.querySelector('[data-part="vote"]');
  if (vote && vote.dataset.kind !== desk.dataset.kind) {
    location.assign(desk.dataset.desk); // from pairs to single responses: another screen
    return;
  }
  if (nothing) {
    const progress = fresh.querySelector('[data-part="progress"]');
    if (progress) $('[data-part="progress"]')?.replaceWith(progress);
    $$(".desk > :not(header), .tools [data-act], .tools [data-dialog-open]").forEach((part) => part.remove());
    desk.classList.remove("scoring");
    desk.append(nothing);
    nothing.focus();
    return;
  }
  for (const part of fresh.querySelectorAll(only)) $(`[data-part="${part.dataset.part}"]`)?.replaceWith(part);
  $(".desk-note")?.remove();
  settle();
  if (only !== "[data-part]") return;
  if ($("#note-text")) $("#note-text").value = "";
  clock.restart();
  show();
  if (innerWidth <= 896) scrollTo(0, 0);
  now()?.querySelector("legend")?.focus({ preventScroll: true });
}

// What a new part does not know: what this person has folded, and which keys are theirs.
function settle() {
  fold(remembered("desk:folded") === "yes");
  const names = JSON.parse(desk.dataset.keyNames || "{}");
  $$("kbd[data-key]").forEach((cap) => {
    const name = names[cap.dataset.key];
    if (name) cap.textContent = "shift" in cap.dataset ? `⇧${name}` : name;
  });
}

// ── What else the buttons and keys do ────────────────────────────────────────
function fold(folded) {
  $(".ask")?.toggleAttribute("data-folded", folded);
  $('[data-act="fold"]')?.setAttribute("aria-expanded", String(!folded));
}

const acts = {
  fold() {
    const folded = !$(".ask").hasAttribute("data-folded");
    remembered("desk:folded", folded ? "yes" : "no");
    fold(folded);
  },
  async raw() {
    if (busy) return;
    raw = !raw;
    try {
      const response = await ask(`${desk.dataset.desk}${raw ? "?view=raw" : ""}`);
      if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
      const html = await response.text();
      const same = html.includes(`value="${$('[name="lease"]').value}"`);
      swap(html, same ? '[data-part="ask"], [data-part="panes"], [data-part="source"]' : undefined);
      show();
    } catch (error) {
      raw = !raw;
      sayStatus(error.status ?? 0);
    }
  },
  guidelines() {
    const guidelines = document.getElementById("guidelines");
    if (!guidelines) return;
    if (guidelines instanceof HTMLDialogElement) {
      guidelines.showModal();
      return;
    }
    guidelines.hidden = !guidelines.hidden;
    $(".bench").toggleAttribute("data-drawer", !guidelines.hidden);
    $('[data-act="guidelines"][aria-expanded]').setAttribute("aria-expanded", String(!guidelines.hidden));
  },
  note: () => $("#note")?.showModal(),
  "note-done": () => $("#note").close(),
  flag: () => $("#flag").showModal(),
  skip: () => setAside("skip"),
};

function onKey(event) {
  const meant = form() && meaning(event, JSON.parse(desk.dataset.keys));
  if (!meant) return;
  const question = now();
  const pairs = desk.dataset.kind === "pair";
  const vote = (...values) => busy || choose(question, (input) => values.includes(input.value));
  const step = (by) => turnTo(questions()[questions().indexOf(question) + by]);
  if (!pairs && meant.digit !== null) {
    const first = question?.querySelector(".scale") ? 0 : 1; // a score is its number, a choice is counted from 1
    vote(String(meant.digit - first));
  } else if (pairs && meant.action === "left") {
    vote(...(meant.much ? ["A-much"] : ["A", "A-slight"]));
  } else if (pairs && meant.action === "right") {
    vote(...(meant.much ? ["B-much"] : ["B", "B-slight"]));
  } else if (pairs && meant.action === "tie") {
    vote("tie");
  } else if (pairs && meant.action === "both_bad") {
    vote("bad");
  } else if (meant.action === "up") step(-1);
  else if (meant.action === "down") step(1);
  else if (meant.action === "submit") submit();
  else if (meant.action === "keys") $("#keys").showModal();
  else if (["skip", "flag", "note", "guidelines", "raw", "fold"].includes(meant.action)) {
    if (!$(`[data-act="${meant.action}"]`)) return;
    acts[meant.action]();
  } else return;
  event.preventDefault();
}

if (desk) {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) {
      event.preventDefault();
      acts[button.dataset.act]();
    }
    const chip = event.target.closest("[data-chip]");
    if (chip) turnTo(questions().find((question) => question.dataset.criterion === chip.dataset.chip));
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("#vote")) show();
  });
  document.addEventListener("focusin", (event) => {
    const question = event.target.closest("#vote fieldset[data-criterion]");
    if (question && !question.hasAttribute("data-now")) turnTo(question);
  });
  document.addEventListener("submit", async (event) => {
    if (event.target.id === "vote") {
      event.preventDefault();
      submit();
    } else if (event.target.id === "flag-form") {
      event.preventDefault();
      const note = $("#flag-text");
      if (await setAside("flag", { flag: "1", note: note.value })) {
        $("#flag").close();
        note.value = "";
      }
    }
  });
  $("#note")?.addEventListener("close", show);
  addEventListener("online", () => deliver(1));
  addEventListener("beforeunload", (event) => {
    if (busy && outbox.kept()) event.preventDefault();
  });
  settle();
  show();
  deliver(1); // a label that an earlier visit could not send
}
