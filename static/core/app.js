// What every page has: theme, menu, dialogs, toasts, file zones, remembered details, and errors of htmx said in words.
import "./dialog.js";
import "./files.js";
import "./scroll.js";
import { post } from "./http.js";
import { sayStatus, toast } from "./toast.js";

const root = document.documentElement;

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

async function switchTheme(form) {
  root.dataset.theme = isDark() ? "light" : "dark";
  if (!form) {
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Not remembered in this browser, but shown.
    }
    return;
  }
  try {
    await post(form.action, { theme: root.dataset.theme });
  } catch (error) {
    sayStatus(error.status);
  }
}

document.addEventListener("click", (event) => {
  const theme = event.target.closest("[data-theme-button]");
  if (theme) {
    event.preventDefault();
    switchTheme(theme.closest("[data-theme-form]"));
  }
  const menu = event.target.closest("[data-menu]");
  if (menu) menu.setAttribute("aria-expanded", String(menu.closest(".side").toggleAttribute("data-open")));
});

document.addEventListener("keydown", (event) => {
  const side = document.querySelector(".side[data-open]");
  if (event.key !== "Escape" || !side) return;
  side.removeAttribute("data-open");
  const menu = side.querySelector("[data-menu]");
  menu.setAttribute("aria-expanded", "false");
  menu.focus();
});

// <details data-remember="NAME"> stays as this browser left it.
for (const details of document.querySelectorAll("details[data-remember]")) {
  const key = `details:${details.dataset.remember}`;
  try {
    const was = localStorage.getItem(key);
    if (was !== null) details.open = was === "open";
    details.addEventListener("toggle", () => localStorage.setItem(key, details.open ? "open" : "closed"));
  } catch {
    break; // no storage: nothing is remembered
  }
}

// <select data-submit-on-change> sends its form as soon as another entry is chosen; without scripts the form has its own button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

document.addEventListener("htmx:responseError", (event) => sayStatus(event.detail.xhr.status));
document.addEventListener("htmx:sendError", () => sayStatus(0));
document.addEventListener("htmx:timeout", () => sayStatus(0));
document.addEventListener("toast", (event) => toast(event.detail.value)); // HX-Trigger: {"toast": "a sentence"}
