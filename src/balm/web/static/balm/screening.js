// The reading page: keys, the next record without asking the server, and votes that survive a lost connection.
// Every vote is written to this browser's storage before it is sent, and taken out once the server has counted it. The
// server counts a submission once, however often it arrives.
const page = document.getElementById("screening");
const form = document.getElementById("vote");
const at = (id) => document.getElementById(id);
const pane = at("paper"); // at the full-text stage
const VIEW = "#navpanes=0&view=FitH"; // the width is the paper's, not its thumbnails'
const HOLD = 2500; // ms in which Z takes the last vote back before it was ever cast
const AHEAD = 3; // records left when the next batch is fetched

let { batch, own, records } = JSON.parse(at("sitting").textContent);
let here = -1, shownAt = 0, next = null, sending = false, timer = 0, wait = 1000;
const history = [];
const waiting = storedVotes(); // votes not counted yet, oldest first
const reasons = [...form.querySelectorAll("[name=excluded_for]")].map((button) => button.value);

function storedVotes() {
  const found = [];
  for (let i = 0; i < localStorage.length; i++) {
    const name = localStorage.key(i);
    if (name.startsWith(page.dataset.kept)) found.push(JSON.parse(localStorage.getItem(name)));
  }
  return found.sort((a, b) => a.made - b.made);
}
const keep = (vote) => localStorage.setItem(page.dataset.kept + vote.submission, JSON.stringify(vote));
const forget = (vote) => {
  localStorage.removeItem(page.dataset.kept + vote.submission);
  const i = waiting.indexOf(vote);
  if (i >= 0) waiting.splice(i, 1);
};
function newSubmission() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// --- what is shown ---
function pieces(into, list) {
  into.replaceChildren(...list.map(([text, kind]) => {
    if (!kind) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.className = kind;
    mark.textContent = text;
    return mark;
  }));
}
function link(href, text, elsewhere) {
  const a = document.createElement("a");
  a.href = href; a.textContent = text;
  if (elsewhere) { a.target = "_blank"; a.rel = "noreferrer"; }
  return a;
}
function show(i) {
  at("reader").hidden = i < 0;
  at("nothing").hidden = i >= 0;
  here = i;
  progress();
  if (i < 0) return;
  const r = records[i];
  pieces(at("title"), r.title);
  pieces(at("abstract"), r.abstract);
  at("no-abstract").hidden = r.abstract.length > 0;
  at("source").textContent = r.source;
  const links = [];
  if (r.doi) links.push(link("https://doi.org/" + encodeURIComponent(r.doi), "doi " + r.doi, true));
  if (r.pmid) links.push(link("https://pubmed.ncbi.nlm.nih.gov/" + encodeURIComponent(r.pmid) + "/", "PubMed " + r.pmid, true));
  links.push(link(new URL("records/" + encodeURIComponent(r.id) + "/", location.href.split("?")[0]).href, r.id));
  at("links").replaceChildren(...links);
  if (pane) paper(r);
  at("place").textContent = `${i + 1} of ${records.length}`;
  at("own").hidden = !r.vote;
  at("own").className = "badge " + (r.vote ? r.vote.decision : "");
  at("own").textContent = r.vote ? `You: ${r.vote.decision}${r.vote.reason ? ", " + r.vote.reason : ""}` : "";
  at("note").value = r.vote ? r.vote.note : "";
  form.elements.record.value = r.id;
  form.elements.batch.value = batch;
  form.elements.order_shown.value = i + 1;
  form.elements.submission.value = newSubmission();
  shownAt = performance.now();
  window.scrollTo({ top: 0 });
}
// The paper beside the decision; on a narrow screen it is a link, and nothing of it is fetched.
function paper(r) {
  const roomy = matchMedia("(min-width: 62rem)").matches;
  at("with-pdf").hidden = !r.paper;
  at("no-pdf").hidden = Boolean(r.paper);
  at("report").href = r.report;
  if (r.paper) at("pdf-link").href = r.paper;
  const frame = at("pdf");
  if (frame.dataset.shown === r.paper && r.paper) return;
  const fresh = frame.cloneNode(); // another frame: going back in the browser is by page, not by paper
  fresh.title = "PDF of " + r.id;
  fresh.hidden = !r.paper;
  fresh.removeAttribute("src");
  fresh.dataset.shown = "";
  if (r.paper && roomy) { fresh.src = r.paper + VIEW; fresh.dataset.shown = r.paper; }
  frame.replaceWith(fresh);
}
// A PDF that was clicked into takes every key: say so, and take them back when the pointer leaves it.
function keysBack() {
  if (document.activeElement === at("pdf")) at("pdf").blur();
  window.focus();
  at("keys-away").hidden = true;
}
if (pane) {
  window.addEventListener("blur", () => setTimeout(() => { at("keys-away").hidden = document.activeElement !== at("pdf"); }));
  window.addEventListener("focus", () => { at("keys-away").hidden = true; });
  pane.addEventListener("mouseleave", keysBack);
  at("keys-away").querySelector("button").addEventListener("click", keysBack);
  matchMedia("(min-width: 62rem)").addEventListener("change", () => { if (here >= 0) paper(records[here]); });
}
function progress() {
  const done = records.filter((r) => r.vote).length;
  at("progress").textContent = records.length
    ? `Batch ${batch}: ${done} of ${records.length} decided · ${own} in all` : `${own} decided in all`;
  at("bar").max = records.length || 1;
  at("bar").value = done;
  at("undo").hidden = history.length === 0;
}
function trouble(text) {
  const line = document.createElement("p");
  line.textContent = text;
  at("trouble").replaceChildren(...(text ? [line] : []));
}
function unsent(text) {
  at("unsent").textContent = text;
  at("unsent").classList.toggle("waiting", Boolean(text) && waiting.length > 0 && text !== "Saving");
}

// --- deciding ---
function decide(decision, reason = "") {
  if (here < 0) return;
  const r = records[here];
  const vote = {
    record: r.id, batch, decision, reason, note: at("note").value, submission: newSubmission(), order_shown: here + 1,
    seconds: Math.round((performance.now() - shownAt) / 100) / 10, made: Date.now(), until: Date.now() + HOLD,
  };
  history.push({ vote, before: r.vote });
  if (!r.vote) own += 1;
  r.vote = { decision, reason, note: vote.note };
  keep(vote);
  waiting.push(vote);
  at("note").blur();
  const after = records.findIndex((other, i) => i > here && !other.vote);
  const first = after >= 0 ? after : records.findIndex((other) => !other.vote);
  if (first >= 0) show(first);
  else finish();
  if (records.filter((other) => !other.vote).length <= AHEAD) ahead();
  send();
}
function undo() {
  const last = history.pop();
  if (!last) return;
  const i = records.findIndex((r) => r.id === last.vote.record);
  if (waiting.includes(last.vote) && !last.vote.sending) {
    forget(last.vote); // it was never cast
  } else {
    const back = { ...last.vote, decision: "withdrawn", reason: "", submission: newSubmission(), made: Date.now(), until: 0 };
    delete back.sending;
    last.before = null;
    keep(back);
    waiting.push(back);
  }
  if (i >= 0) {
    records[i].vote = last.before;
    if (!last.before) own -= 1;
    show(i);
    at("note").value = last.vote.note;
  }
  send();
}

// --- the next batch ---
async function ahead() {
  if (next) return;
  next = fetch(`${page.dataset.next}?after=${batch}`, { headers: { Accept: "application/json" }, redirect: "manual" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .catch(() => { next = null; return null; });
}
async function finish() {
  for (const vote of waiting) vote.until = 0;
  here = -1; // until the next record is shown no key decides: a second one would change the vote just cast
  progress();
  ahead();
  at("own").hidden = true;
  const found = await next;
  next = null;
  if (here >= 0) return; // the last vote was taken back meanwhile
  if (found === null) {
    trouble("This batch is decided; the next one cannot be fetched just now. It is tried again.");
    setTimeout(() => { if (here < 0) finish(); }, 3000);
    return;
  }
  trouble("");
  history.length = 0;
  ({ batch, records } = found);
  own = Math.max(own, found.own);
  const first = records.findIndex((r) => !r.vote);
  if (first < 0 && waiting.length === 0) { show(-1); return; }
  show(first);
}

// --- sending ---
async function send() {
  clearTimeout(timer);
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const vote = waiting[0];
    const held = waiting.length === 1 ? vote.until - Date.now() : 0;
    if (held > 0) { unsent(""); timer = setTimeout(send, held); break; }
    vote.sending = true;
    unsent("Saving");
    const done = await post(vote);
    if (!done) {
      unsent(`${waiting.length} decision${waiting.length > 1 ? "s" : ""} not sent yet: kept here until the connection is back`);
      timer = setTimeout(send, wait);
      wait = Math.min(wait * 2, 15000);
      break;
    }
    wait = 1000;
    unsent("");
  }
  sending = false;
}
async function post(vote) {
  const { sending: _, made, until, ...fields } = vote;
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), 15000);
  try {
    const answer = await fetch(page.dataset.votes, {
      method: "POST", body: new URLSearchParams(fields), redirect: "manual", keepalive: true, signal: stop.signal,
      headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    });
    const told = (answer.headers.get("Content-Type") || "").startsWith("application/json") ? await answer.json() : null;
    if (told && told.counted) { forget(vote); return true; }
    if (told && told.problem) {
      forget(vote);
      trouble(`${vote.record}: ${told.problem}`);
      return true;
    }
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      trouble("You are signed out. Sign in and come back to this page: your decisions are kept in this browser and sent then.");
    }
  } catch { /* no connection: the vote stays */ } finally { clearTimeout(late); }
  return false;
}

// --- keys ---
const presets = JSON.parse(at("key-presets").textContent);
const preset = at("preset");
try { preset.value = localStorage.getItem("balm-keys") || preset.value; } catch { /* no storage */ }
if (!preset.value) preset.selectedIndex = 0;
function labels() {
  for (const kbd of document.querySelectorAll("kbd[data-key]")) kbd.textContent = presets[preset.value][kbd.dataset.key];
}
preset.addEventListener("change", () => { localStorage.setItem("balm-keys", preset.value); labels(); preset.blur(); });
labels();

function move(step) {
  const i = here + step;
  if (here >= 0 && i >= 0 && i < records.length) show(i);
}
const exclude = () => (reasons.length ? at("reasons").focus() : decide("exclude"));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const writing = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (event.key === "Escape" && writing) { event.target.blur(); return; }
  if (writing) return;
  const key = event.key.toLowerCase();
  const keys = presets[preset.value];
  const act = {
    [keys.include]: () => decide("include"), [keys.maybe]: () => decide("maybe"), [keys.exclude]: exclude,
    [keys.note]: () => at("note").focus(), z: undo, arrowleft: () => move(-1), arrowright: () => move(1),
    a: () => page.classList.toggle("no-abstract"), h: () => page.classList.toggle("no-marks"),
    "/": () => at("q").focus(), "?": () => { at("keys-title").scrollIntoView({ block: "nearest" }); preset.focus(); },
  }[key] || (reasons[Number(key) - 1] && (() => decide("exclude", reasons[Number(key) - 1])));
  if (!act) return;
  event.preventDefault();
  act();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const button = event.submitter;
  if (!button) return;
  if (button.name === "excluded_for") decide("exclude", button.value);
  else decide(button.value);
});
at("undo").addEventListener("click", undo);
window.addEventListener("online", () => { wait = 1000; send(); });
window.addEventListener("pagehide", () => { for (const vote of waiting) vote.until = 0; send(); });

// Votes that were not counted when this page was last left: shown as cast, and sent again.
for (const vote of waiting) {
  const r = records.find((one) => one.id === vote.record);
  if (r) r.vote = vote.decision === "withdrawn" ? null : { decision: vote.decision, reason: vote.reason, note: vote.note };
}
const first = records.findIndex((r) => !r.vote);
if (records.length && first < 0) finish();
else show(first);
send();
