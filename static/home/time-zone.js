// Fills the hidden field of a new account with the browser's time zone, so that nobody starts in the wrong one.
const field = document.querySelector("[data-time-zone]");
if (field && !field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
