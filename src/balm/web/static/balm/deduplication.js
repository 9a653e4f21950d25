// Keys of the duplicates page: D duplicate, N not duplicate, S same study, Z undo, right arrow later.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select")) return;
  const target = document.querySelector(`#question [data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target || document.querySelector("#question .htmx-request, #question.htmx-request")) return;
  event.preventDefault();
  target.click();
});
