// What every page does: after a fragment is swapped in, focus goes where the fragment says (data-focus). Where it says
// nothing, focus stays: htmx keeps that of an element with an id, here that of one that is known by its words.
{
  const words = (e) => e.tagName + " " + (e.name || "") + " " + (e.getAttribute("aria-label") || e.textContent).trim();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const here = document.activeElement;
    event.detail.xhr.balmFocus = here && !here.id && event.detail.target.contains(here) ? words(here) : "";
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const next = event.target.querySelector("[data-focus]");
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
      return;
    }
    const was = event.detail.xhr && event.detail.xhr.balmFocus;
    if (!was || document.activeElement !== document.body) return;
    const same = [...document.querySelectorAll("main a, main button, main summary, main [tabindex]")].find((e) => words(e) === was);
    if (same) same.focus({ preventScroll: true });
  });
}
// A part of the page that is refused or does not come: a refusal that holds the part is shown in its place, any other is
// said at the foot of the window, and the page stands as it was. Where sign-in comes instead, the whole page goes there.
{
  const failed = (text) => {
    document.querySelector(".failed")?.remove();
    if (!text) return;
    const told = document.createElement("p");
    told.className = "notice failed";
    told.setAttribute("role", "alert");
    document.body.append(told);
    told.textContent = text;
  };
  const NO_ANSWER = "The server did not answer, so nothing was changed. Try again in a moment.";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo, selectOverride, requestConfig } = event.detail;
    const asked = new URL(pathInfo.finalRequestPath, location.href).pathname;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked) {
      event.detail.shouldSwap = false;
      location.reload();
      return;
    }
    if (xhr.status < 400) { failed(""); return; }
    const whole = /^\s*<!doctype/i.test(xhr.responseText) && new DOMParser().parseFromString(xhr.responseText, "text/html");
    const part = selectOverride || requestConfig.elt.closest("[hx-select]")?.getAttribute("hx-select");
    if (xhr.status === 422 && (!whole || (part && whole.querySelector(part)))) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
      failed("");
      return;
    }
    const why = whole && [...whole.querySelectorAll("main .problems li, main > p:not(:has(a))")].map((p) => p.textContent.trim()).join(" ");
    failed(xhr.status >= 500 ? NO_ANSWER : why || "This cannot be done any more. Reload the page to see what there is now.");
  });
  for (const name of ["sendError", "timeout"]) document.addEventListener("htmx:" + name, () => failed(NO_ANSWER));
}
// What was refused when the page was sent has the focus and is read out: the words, or the first field that is wrong.
{
  const said = document.querySelector("main .problems[role=alert]:not(:empty), main .error[role=alert]");
  const field = said && said.matches(".error") && said.closest(".field")?.querySelector("input:not([type=hidden]), select, textarea");
  if (said && !field) said.tabIndex = -1;
  (field || said)?.focus();
}
// On a phone the stages stand in one line that is scrolled: this page's stage is in sight.
{
  const stages = document.querySelector(".stages"), here = stages && stages.querySelector("[aria-current]");
  if (here) stages.scrollLeft = here.offsetLeft - stages.offsetLeft - (stages.clientWidth - here.offsetWidth) / 2;
}
// A form is sent once: a second click while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (!form.hasAttribute("hx-post") && !("download" in form.dataset)) form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
