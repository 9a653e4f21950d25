// What every page does: after a fragment is swapped in, focus goes where the fragment says (data-focus).
document.addEventListener("htmx:afterSwap", (event) => {
  const next = event.target.querySelector("[data-focus]");
  if (next) next.focus({ preventScroll: true });
});
// A form is sent once: a second click while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (!form.hasAttribute("hx-post") && !("download" in form.dataset)) form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
