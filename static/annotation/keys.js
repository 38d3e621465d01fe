// From a key press to what it means on the desk. Keys are physical (event.code), so a layout or an input method changes
// nothing. The server sends each action's codes: apps/accounts/keys.py has the list.

const TEXT = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit])";

// Silent while one writes, in dialogs, and where the browser or the system has a meaning of its own.
function isOurs(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector("dialog[open]") || event.target.closest?.(TEXT)) return false;
  return !(["Enter", "NumpadEnter", "Space"].includes(event.code) && event.target.closest?.("button, a, summary"));
}

// { action, much, digit }: `digit` is the number of the key, for scores; null for a key that means nothing here.
export function meaning(event, codes) {
  if (!isOurs(event)) return null;
  const plain = event.code === "NumpadEnter" ? "Enter" : event.code.replace(/^Numpad(?=\d$)/, "Digit");
  const find = (code) => Object.keys(codes).find((action) => codes[action].includes(code));
  const held = event.shiftKey ? "Shift+" : "";
  const digit = !event.shiftKey && /^Digit\d$/.test(plain) ? Number(plain.at(-1)) : null;
  // The question mark has a place of its own on many keyboards, and on each it asks for the keys.
  const action = find(held + event.code) ?? find(held + plain) ?? (event.key === "?" ? "keys" : null);
  if (action) return { action, much: false, digit };
  const side = event.shiftKey ? find(plain) : null;
  if (side === "left" || side === "right") return { action: side, much: true, digit: null };
  return digit === null ? null : { action: null, much: false, digit };
}
