// The live run page: the feed stands still while it is read, and a lost connection is said in words.

const live = document.querySelector("[data-live]");
const feed = live.querySelector("[data-feed]");
const hold = feed.querySelector("[data-hold]");
const lost = live.querySelector("[data-live-lost]");
let waiting = null; // the newest list that came while the feed was held

const list = () => feed.querySelector("#run-feed");
const isHeld = () => hold.getAttribute("aria-pressed") === "true" || list().matches(":hover, :focus-within");

// A moment later, so that the focus or the pointer may still land in the list.
function release() {
  setTimeout(() => {
    if (!waiting || isHeld()) return;
    list().replaceWith(waiting);
    waiting = null;
  });
}

hold.addEventListener("click", () => {
  hold.setAttribute("aria-pressed", String(hold.getAttribute("aria-pressed") !== "true"));
  release();
});
feed.addEventListener("focusout", release);
feed.addEventListener("mouseover", release);
feed.addEventListener("mouseleave", release);

// A new connection sends everything: what is the same already stays as it is, with its focus.
function isSame(fresh, shown) {
  const copy = fresh.cloneNode(true);
  copy.removeAttribute("hx-swap-oob");
  return copy.isEqualNode(shown);
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { detail } = event;
  const fresh = detail.fragment.firstElementChild;
  if (!fresh || isSame(fresh, detail.target)) {
    detail.shouldSwap = false;
  } else if (detail.target.id === "run-feed") {
    detail.shouldSwap = !isHeld();
    waiting = detail.shouldSwap ? null : fresh;
  }
});
document.addEventListener("htmx:wsOpen", () => { lost.hidden = true; });
document.addEventListener("htmx:wsClose", () => { lost.hidden = false; });
