// What is half typed in one form stays where another is sent: through the page that follows, and through a fragment that
// is swapped in. Fields that are hidden, secret or of files are left out; a form that saves each field keeps its own.
{ // names of its own: the scripts of a page share theirs
  const PLACE = "balm-typed";
  const fieldsOf = (form) => [...form.elements].filter((f) => f.name && f.matches("textarea, select, input:not([type=hidden], [type=password], [type=file], [type=submit], [type=button])"));
  const changed = (f) => f.matches("[type=checkbox], [type=radio]") ? f.checked !== f.defaultChecked
    : f.options ? [...f.options].some((o) => o.selected !== o.defaultSelected) && f.value !== ([...f.options].find((o) => o.defaultSelected) || f.options[0] || {}).value
    : f.value !== f.defaultValue;
  const valueOf = (f) => f.matches("[type=checkbox], [type=radio]") ? f.checked : f.value;

  // A form is known by its address; where several go to one address, by what they hide too.
  const named = () => {
    const by = new Map();
    for (const form of document.forms) {
      if (form.method !== "post" || "autosave" in form.dataset) continue;
      const address = new URL(form.getAttribute("action") || "", location.href).pathname;
      by.set(address, [...(by.get(address) || []), form]);
    }
    const found = new Map();
    for (const [address, forms] of by) for (const form of forms) {
      const told = [...form.querySelectorAll("input[type=hidden]")].filter((f) => !/^(csrfmiddlewaretoken|submission)$/.test(f.name)).map((f) => `${f.name}=${f.value}`);
      const name = forms.length > 1 ? `${address} ${told.join("&")}` : address;
      found.set(name, found.has(name) ? null : form); // two of one name are not told apart
    }
    return found;
  };

  // ``{form: {field: value}}`` of the fields that ``holds`` says are to be kept.
  const typed = (holds) => {
    const kept = {};
    for (const [name, form] of named()) {
      if (!form) continue;
      const own = fieldsOf(form).filter((f) => holds(form, f)).map((f) => [at(form, f), valueOf(f)]);
      if (own.length) kept[name] = Object.fromEntries(own);
    }
    return kept;
  };
  // The place of a field in its form: its name, and its value where it is one of several that are ticked.
  const at = (form, f) => f.matches("[type=checkbox], [type=radio]") ? `${f.name}=${f.value}` : f.name;

  const give = (kept) => {
    const forms = named();
    for (const [name, values] of Object.entries(kept)) {
      const form = forms.get(name);
      for (const f of form ? fieldsOf(form) : []) {
        const value = values[at(form, f)];
        if (typeof value === "boolean") f.checked = value;
        else if (value !== undefined) f.value = value;
      }
    }
  };

  // A page that follows: kept in this tab for the next page alone.
  document.addEventListener("submit", (event) => {
    const stays = event.defaultPrevented || event.target.method !== "post" || "download" in event.target.dataset;
    if (stays) return;
    const kept = typed((form, f) => form !== event.target && changed(f));
    try { Object.keys(kept).length ? sessionStorage.setItem(PLACE, JSON.stringify(kept)) : sessionStorage.removeItem(PLACE); } catch { /* this tab keeps nothing */ }
  });
  try {
    const kept = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    if (kept) give(JSON.parse(kept));
  } catch { /* nothing was kept */ }

  // A fragment: what is changed in other forms, and in the one that was sent what was typed since it went.
  const sent = new WeakMap();
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest("form");
    sent.set(event.detail.xhr, new Map(form ? fieldsOf(form).map((f) => [f, valueOf(f)]) : []));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const before = sent.get(event.detail.xhr) || new Map();
    event.detail.xhr.balmTyped = typed((form, f) => event.detail.target.contains(f) && (before.has(f) ? before.get(f) !== valueOf(f) : changed(f)));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const kept = event.detail.xhr && event.detail.xhr.balmTyped;
    if (kept) give(kept);
  });
}
