// One label that has been given but not yet taken by the server. It is kept in this browser, for this person and round,
// until the server has answered; sending it twice stores it once.

const desk = document.querySelector("[data-desk]");
const KEY = `desk:${desk?.dataset.person}:${desk?.dataset.desk}`;
let held = null; // the label itself where the browser keeps nothing

export function keep(entry) {
  held = entry;
  try {
    localStorage.setItem(KEY, JSON.stringify(entry));
  } catch {
    // No storage: kept as long as this page is open, and leaving it warns.
  }
}

export function kept() {
  if (held) return held;
  try {
    held = JSON.parse(localStorage.getItem(KEY));
  } catch {
    held = null;
  }
  return held;
}

export function clear() {
  held = null;
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}
