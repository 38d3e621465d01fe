// While a large file is sent the page says so, and the button cannot be pressed twice.
const form = document.querySelector("[data-upload]");

form?.addEventListener("submit", () => {
  form.querySelector("[data-sending]").hidden = false;
  form.querySelector("button.primary").disabled = true;
});

// Back from the report, the browser may show the page as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted || !form) return;
  form.querySelector("[data-sending]").hidden = true;
  form.querySelector("button.primary").disabled = false;
});
