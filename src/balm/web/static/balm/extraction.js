// Each field is saved as it is left. What could not be sent waits in this browser and is sent again with the same
// submission id, so that the server counts it once. A row that is added or taken out changes the sheet alone: the paper
// beside it stays at its page.
const sheet = () => document.querySelector("[data-kept]"); // another one after each row that comes or goes
if (sheet() && document.querySelector("form[data-autosave] .save")) {
  sheet().classList.add("autosaving");
  const place = "balm-extraction:" + sheet().dataset.kept;
  let waiting = read();
  let busy = false;
  let held = null; // a form that goes once every value before it is saved

  function read() { try { return JSON.parse(localStorage.getItem(place)) || []; } catch { return []; } }
  function keep() { try { waiting.length ? localStorage.setItem(place, JSON.stringify(waiting)) : localStorage.removeItem(place); } catch { /* kept in the page alone */ } }
  function id() { return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""); }
  function say(text, kind) { const status = document.querySelector(".saving"); status.textContent = text; status.className = "saving " + (kind || ""); }

  function changed(form, column) {
    const values = { submission: id(), table: form.elements.table.value, key: form.elements.key.value };
    for (const start of ["v.", "p.", "q.", "h."]) {
      const field = form.elements[start + column];
      if (field) values[start + column] = field.value;
    }
    waiting.push({ address: form.action, values });
    keep();
    send();
  }

  async function send() {
    if (busy || !waiting.length) return;
    busy = true;
    while (waiting.length) {
      const next = waiting[0];
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      say("Saving " + waiting.length + (waiting.length > 1 ? " values" : " value"));
      let response;
      try {
        response = await fetch(next.address, {
          method: "POST", body: new URLSearchParams(next.values), redirect: "manual", credentials: "same-origin",
          headers: { "X-CSRFToken": token, "X-Requested-With": "balm" },
        });
      } catch { later("No connection: " + waiting.length + " not saved yet, kept in this browser"); break; }
      if (response.type === "opaqueredirect") { later("You are signed out: sign in again in another tab, and it is saved"); break; }
      if (response.status >= 500) { later("The server did not answer: " + waiting.length + " not saved yet, kept in this browser"); break; }
      waiting.shift();
      keep();
      await show(next, response);
    }
    busy = false;
    if (held && !waiting.length) { const [form, button] = held; held = null; form.requestSubmit(button); }
  }

  function later(text) { say(text, "waiting"); setTimeout(send, 5000); }

  async function show(sent, response) {
    const form = [...document.querySelectorAll("form[data-autosave]")].find((f) => f.elements.table.value === sent.values.table && f.elements.key.value === sent.values.key);
    const column = Object.keys(sent.values).find((name) => name.startsWith("v."))?.slice(2);
    if (!response.ok) held = null; // what was refused is looked at first
    if (response.status === 422) {
      const { problems } = await response.json();
      say("Not saved: " + problems[0].text, "waiting");
      for (const p of problems) mark(form, p.column, p.text);
      return;
    }
    if (!response.ok) { say("Not saved: this can no longer be changed here. Reload the page.", "waiting"); return; }
    const text = await response.text();
    if (form) {
      const notes = form.closest("section").querySelector(".said-row");
      const made = new DOMParser().parseFromString(text, "text/html").querySelector(".said-row");
      if (made) {
        for (const field of form.querySelectorAll(".field")) mark(form, field.dataset.column, "");
        for (const p of made.querySelectorAll("[data-problem]")) mark(form, p.dataset.column, p.textContent);
        notes.replaceWith(made);
      }
      const field = form.querySelector(`.field[data-column="${column}"]`);
      if (field && !field.classList.contains("wrong")) { field.classList.add("saved"); setTimeout(() => field.classList.remove("saved"), 1500); }
    }
    if (!waiting.length) say("All saved", "kept");
  }

  function mark(form, column, text) {
    const field = form && form.querySelector(`.field[data-column="${column}"]`);
    if (!field) return;
    field.classList.toggle("wrong", Boolean(text));
    field.querySelector(".said").textContent = text;
    const input = field.querySelector("input, select, textarea");
    if (text) { input.setAttribute("aria-invalid", "true"); const more = field.closest("details.more"); if (more) more.open = true; } else input.removeAttribute("aria-invalid");
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-kept] form[data-autosave]");
    const column = event.target.name && event.target.name.slice(2);
    if (form && column && form.elements["v." + column]) changed(form, column);
  });
  // Enter saves the field; the row is not sent as a whole while the script is at work.
  document.addEventListener("submit", (event) => {
    if (!sheet().contains(event.target)) return;
    if (!event.target.matches("form[data-autosave]")) {
      if (waiting.length) {
        event.preventDefault();
        event.stopImmediatePropagation();
        held = [event.target, event.submitter];
        say("Saving what was entered first", "waiting");
        send();
      }
      return;
    }
    event.preventDefault();
    if (document.activeElement) document.activeElement.blur();
  }, true);
  document.addEventListener("htmx:afterSwap", () => {
    sheet().classList.add("autosaving");
    const next = sheet().querySelector("[data-added]");
    if (!next) return;
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("input:not([type=hidden]), select, textarea, button:not(.plain)").focus({ preventScroll: true });
  });
  addEventListener("online", send);
  addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });
  send();
}
