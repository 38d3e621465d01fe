// The filters of the items list: what is empty stays out of the address.
document.querySelector("[data-items-form]")?.addEventListener("htmx:configRequest", (event) => {
  const { parameters } = event.detail;
  for (const name of Object.keys(parameters)) {
    if (parameters[name] === "") delete parameters[name];
  }
});
