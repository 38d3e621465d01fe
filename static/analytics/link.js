// "Link to this view" copies the address; where that is not allowed it opens it, as any link does.
import { toast } from "../core/toast.js";

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-link]");
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.href);
    toast(link.dataset.copied);
  } catch {
    location.assign(link.href);
  }
});
