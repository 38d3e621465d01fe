// A toast: one sentence at the bottom left that goes by itself, but never while it is pointed at or focused.

const SECONDS = 10;

function expire(toast) {
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else toast.remove();
  };
  setTimeout(leave, SECONDS * 1000);
}

export function toast(text) {
  const region = document.querySelector("[data-toasts]");
  const template = document.getElementById("toast-template");
  if (!region || !template) return;
  for (const shown of region.children) {
    if (shown.firstElementChild.textContent === text) shown.remove();
  }
  const copy = template.content.firstElementChild.cloneNode(true);
  copy.firstElementChild.textContent = text;
  region.append(copy);
  expire(copy);
}

// The sentence for an HTTP status, in the reader's language; 0 stands for "not reached".
export function sayStatus(status) {
  const texts = document.getElementById("core-texts")?.dataset ?? {};
  const known = { 0: texts.offline, 401: texts.forbidden, 403: texts.forbidden, 404: texts.missing, 410: texts.missing,
    413: texts.tooLarge, 429: texts.tooMany };
  toast(known[status] ?? (status >= 500 ? texts.failed : texts.refused));
}

document.querySelectorAll("[data-toast]").forEach(expire);
document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast], .note")?.remove());
