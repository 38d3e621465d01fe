// The filters of the items list: what is empty stays out of the address.
// On the document, since going back puts a new form in the old one's place.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches("[data-items-form]")) return;
  const { parameters } = event.detail;
  for (const name of Object.keys(parameters)) {
    if (parameters[name] === "") delete parameters[name];
  }
});
