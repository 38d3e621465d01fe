// A field of the key list takes the key that is pressed in it, by its place on the keyboard.
// Tab and Escape keep their meaning, so that nobody is caught in a field; Backspace empties it.
document.querySelector("[data-keys]")?.addEventListener("keydown", (event) => {
  const field = event.target.closest("[data-key]");
  if (!field || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (["Tab", "Escape", "ShiftLeft", "ShiftRight", "ControlLeft", "ControlRight", "AltLeft", "AltRight"].includes(event.code)) return;
  event.preventDefault();
  field.value = event.code === "Backspace" && !event.shiftKey ? "" : (event.shiftKey ? "Shift+" : "") + event.code;
});
