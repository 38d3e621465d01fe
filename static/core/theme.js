// Runs before the first paint, so that no page flashes in the wrong theme. A signed-in person's theme comes with the
// page from the server; a visitor's is what this browser remembers.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  if ("signedIn" in root.dataset) return;
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // Storage is refused here: the theme follows the system.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
