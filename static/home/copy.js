// data-copy="ID" copies the value of the field with that id, and says so in the button itself.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const field = button && document.getElementById(button.dataset.copy);
  if (!field) return;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // no permission, or no https: it is selected, ready for the keyboard
  }
  button.querySelector("[data-copy-text]").textContent = button.dataset.copied;
});
