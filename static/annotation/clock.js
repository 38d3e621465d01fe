// Active seconds on the item in hand: the clock stands still while the page is hidden.

let before = 0;
let since = null;

function stop() {
  if (since !== null) before += performance.now() - since;
  since = null;
}

function go() {
  if (since === null && !document.hidden) since = performance.now();
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : go()));

export function restart() {
  stop();
  before = 0;
  go();
}

export function seconds() {
  return (before + (since === null ? 0 : performance.now() - since)) / 1000;
}

go();
