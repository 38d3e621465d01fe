// data-drop round a file input: files can be dropped on it, and [data-file-name] says what was chosen.

function show(zone, input) {
  const name = zone.querySelector("[data-file-name]");
  if (name && input.files.length) name.textContent = [...input.files].map((file) => file.name).join(", ");
}

document.addEventListener("change", (event) => {
  const zone = event.target.closest("[data-drop]");
  if (zone && event.target.type === "file") show(zone, event.target);
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target instanceof Element ? event.target.closest("[data-drop]") : null;
    if (!zone) return;
    event.preventDefault();
    zone.toggleAttribute("data-over", kind === "dragover");
    const input = zone.querySelector('input[type="file"]');
    if (kind !== "drop" || !input || !event.dataTransfer.files.length) return;
    const files = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
