// Dialogs: data-dialog-open="ID" opens one, data-dialog-close closes the one it stands in.
// data-confirm="question" on a form or a submit button (data-confirm-yes="word for going on") asks first; so does hx-confirm.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  else if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
  else if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close(); // its backdrop
});

// Resolves to true when the person goes on.
export function confirm(question, yes) {
  const dialog = document.querySelector("[data-confirm-dialog]");
  if (!dialog) return Promise.resolve(true);
  const button = dialog.querySelector("[data-confirm-go]");
  dialog.querySelector("[data-confirm-text]").textContent = question;
  button.textContent = yes || button.dataset.default;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const accept = () => dialog.close("yes");
    button.addEventListener("click", accept);
    dialog.addEventListener("close", () => {
      button.removeEventListener("click", accept);
      resolve(dialog.returnValue === "yes");
    }, { once: true });
  });
}

const agreed = new WeakSet();

// Captured, so that htmx does not see the submit before the person has answered.
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (agreed.delete(form)) return;
  const asker = submitter?.dataset.confirm ? submitter : form;
  if (!asker.dataset.confirm) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await confirm(asker.dataset.confirm, asker.dataset.confirmYes))) return;
  agreed.add(form);
  form.requestSubmit(submitter?.isConnected ? submitter : undefined); // a live page may have drawn the button anew
}, { capture: true });

document.addEventListener("htmx:confirm", async (event) => {
  const { question, elt, issueRequest } = event.detail;
  if (!question) return;
  event.preventDefault();
  if (await confirm(question, elt.dataset.confirmYes)) issueRequest(true);
});
