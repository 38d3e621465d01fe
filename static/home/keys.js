// A field of the key list takes the key that is pressed in it, by its place on the keyboard.
// Tab and Escape keep their meaning, so that nobody is caught in a field; Backspace empties it.
const form = document.querySelector("[data-keys]");
const shown = JSON.parse(form?.dataset.keys ?? "{}");

form?.addEventListener("keydown", (event) => {
  const field = event.target.closest("[data-key]");
  if (!field || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.code === "Backspace" && !event.shiftKey) {
    event.preventDefault();
    field.value = "";
    return;
  }
  const key = shown[(event.shiftKey ? "Shift+" : "") + event.code];
  if (!key) return;
  event.preventDefault();
  field.value = key;
});
