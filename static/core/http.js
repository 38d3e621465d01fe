// Requests of our own scripts; htmx sends the same token by hx-headers on <body>.

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

// Sends form data (an object, FormData or URLSearchParams). Rejects with an Error that has `status` (0: not reached).
export async function post(url, data) {
  let response;
  const body = data instanceof FormData || data instanceof URLSearchParams ? data : new URLSearchParams(data);
  try {
    response = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() }, credentials: "same-origin" });
  } catch {
    throw Object.assign(new Error("The server cannot be reached."), { status: 0 });
  }
  if (!response.ok) throw Object.assign(new Error(`The server answered ${response.status}.`), { status: response.status });
  return response;
}
