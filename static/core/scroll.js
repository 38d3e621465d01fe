// A table wider than its place scrolls in it; then the keyboard must reach it too. Where it fits, it is no stop for Tab.
function name(box) {
  const heading = box.closest("section")?.querySelector("h2, h3") ?? document.querySelector("h1");
  return heading?.textContent.trim() ?? "";
}

export function letKeyboardScroll() {
  for (const box of document.querySelectorAll(".scroll-x")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    box.toggleAttribute("data-scrolls", scrolls);
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
document.addEventListener("htmx:afterSettle", letKeyboardScroll);
