// What htmx does not do by itself; no page needs it to be read, and every form works without it.
"use strict";

// A form with data-confirm asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}, true);

// A file that is chosen or dropped is read into the field, and checked like typed words.
const read = async (file, field) => {
  if (!file || !field) return;
  field.value = await file.text();
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
document.addEventListener("change", (event) => {
  const into = event.target.dataset.into;
  if (into) read(event.target.files[0], document.getElementById(into));
});
const dropped = (event) => event.target.closest && event.target.closest("[data-drop]");
document.addEventListener("dragover", (event) => {
  const place = dropped(event);
  if (!place) return;
  event.preventDefault();
  place.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  const place = dropped(event);
  if (place) place.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  const place = dropped(event);
  if (!place) return;
  event.preventDefault();
  place.classList.remove("dropping");
  read(event.dataTransfer.files[0], document.getElementById(place.dataset.drop));
});

// The place of a fault leads into the document.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-line]");
  const field = document.getElementById("document");
  if (!button || !field) return;
  const lines = field.value.split("\n");
  const before = lines.slice(0, Number(button.dataset.line) - 1);
  const column = Array.from(lines[before.length] || "").slice(0, Number(button.dataset.column) - 1);
  const at = before.join("\n").length + (before.length ? 1 : 0) + column.join("").length;
  field.focus();
  field.setSelectionRange(at, at + 1);
});
