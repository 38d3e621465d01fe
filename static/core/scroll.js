// What is wider than its place scrolls in it; then the keyboard must reach it too. Where it fits, it is no stop for Tab.
const INSIDE_TEXT = ".prose :is(table, math[display='block'])";

function name(box) {
  const heading = box.closest("section")?.querySelector("h2, h3") ?? document.querySelector("h1");
  return heading?.textContent.trim() ?? "";
}

function letKeyboardScroll() {
  for (const box of document.querySelectorAll(INSIDE_TEXT)) {
    if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  }
  for (const box of document.querySelectorAll(".scroll-x")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    if (!scrolls) {
      for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
    } else if (!box.hasAttribute("tabindex")) {
      box.setAttribute("tabindex", "0");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", name(box));
    }
  }
}

letKeyboardScroll();
addEventListener("resize", letKeyboardScroll);
// Whatever brings new content (htmx, a live page, the desk), it is looked at before it is painted.
new MutationObserver(letKeyboardScroll).observe(document.body, { childList: true, subtree: true });
