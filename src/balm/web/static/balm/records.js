// Bring search exports: drop several at once, say what was searched for each, see how much has been sent.
const form = document.getElementById("import");
if (form) {
  const input = document.getElementById("files");
  const drop = document.getElementById("drop");
  const abouts = document.getElementById("abouts");
  const problems = document.getElementById("import-problems");
  const sent = document.getElementById("sent");
  const blank = abouts.querySelector("fieldset").cloneNode(true);
  const most = Number(form.dataset.maxBytes), files = Number(form.dataset.maxFiles);

  const say = (lines) => problems.replaceChildren(...lines.map((text) => Object.assign(document.createElement("li"), { textContent: text })));

  // One set of questions a file; what was typed for a file that stays is kept.
  const ask = () => {
    const before = new Map([...abouts.querySelectorAll("fieldset")].map((f) => [f.dataset.file || "", f]));
    const named = [...input.files];
    const made = (named.length ? named : [null]).map((file, k) => {
      const name = file ? file.name : "";
      const set = before.get(name) || (k === 0 ? before.get("") : null) || blank.cloneNode(true);
      before.delete(name);
      set.dataset.file = name;
      if (file) set.querySelector("legend").textContent = `What was searched: ${name}`;
      for (const field of set.querySelectorAll("[name]")) {
        const label = set.querySelector(`label[for="${field.id}"]`);
        field.id = `${field.name}-${k}`;
        if (label) label.htmlFor = field.id;
      }
      return set;
    });
    abouts.replaceChildren(...made);
    const wrong = named.filter((f) => f.size > most).map((f) => `${f.name}: has ${Math.ceil(f.size / 1048576)} MB; a file may have at most ${most / 1048576} MB. Split the export, or pack it with gzip or zip.`);
    if (named.length > files) wrong.push(`At most ${files} files come in one go; these are ${named.length}.`);
    say(wrong);
    input.setCustomValidity(wrong.join(" "));
  };
  input.addEventListener("change", ask);

  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...input.files, ...event.dataTransfer.files]) all.items.add(file);
    input.files = all.files;
    ask();
  });
  // A file dropped beside the field is not opened in place of the page.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    const over = (lines) => { say(lines); delete form.dataset.sent; button.disabled = false; sent.hidden = true; };
    button.disabled = true;
    sent.hidden = false;
    say([]);
    request.upload.addEventListener("progress", (now) => { if (now.lengthComputable) sent.value = now.loaded / now.total; });
    request.addEventListener("load", () => {
      if (request.status === 200) { window.location.assign(request.responseURL); return; }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const lines = [...page.querySelectorAll(".problems li, main p")].map((li) => li.textContent);
      over(lines.length ? lines : ["The server did not take the files. Try again."]);
    });
    request.addEventListener("error", () => over(["The connection broke off. Nothing was taken twice: send it again."]));
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
  ask();
}
