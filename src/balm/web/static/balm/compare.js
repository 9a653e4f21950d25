// The comparison by keyboard: j and k move, 1 and 2 take a value, 3 is another value, Enter in the reason settles.
let at = -1;
const all = () => [...document.querySelectorAll(".difference")];
function go(step) {
  const found = all();
  if (!found.length) return;
  at = Math.max(0, Math.min(found.length - 1, at + step));
  found[at].scrollIntoView({ block: "center" });
  found[at].querySelector("input[type=radio]").focus();
}
document.addEventListener("focusin", (event) => {
  const here = all().indexOf(event.target.closest(".difference"));
  if (here >= 0) at = here;
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=radio]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if ("123".includes(event.key)) {
    if (at < 0) go(1);
    const card = all()[at];
    const radio = card && card.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
    if (!radio || radio.disabled) return;
    radio.checked = true;
    const next = event.key === "3" ? card.querySelector("[name=other]") : card.querySelector("[name=reason]");
    (next || radio).focus();
  } else return;
  event.preventDefault();
});
// Typing another value chooses it.
document.addEventListener("input", (event) => {
  if (event.target.name !== "other") return;
  const radio = event.target.closest("form").querySelector("input[value='other:']");
  if (radio) radio.checked = true;
});
// After a cell is settled the next one stands in its place, and has the focus.
let sent = -1;
document.addEventListener("htmx:beforeRequest", () => { sent = at; });
document.addEventListener("htmx:afterSwap", () => {
  if (!all().length) return;
  at = Math.max(0, sent);
  go(0);
});
