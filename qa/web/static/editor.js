// A form's draft as fields and as YAML: both show the same document. Every change goes through the
// server, which reads the form as it will be used and answers with both.

const editor = document.querySelector("[data-editor]");
const fields = document.querySelector("[data-fields]");
const source = editor.querySelector("#source");
const refusal = editor.querySelector("[data-said]");
const QUIET_MS = 500; // typing goes on until then
let requests = 0;
let isDirty = false;

/** Have the server read the source, after a change of the fields where one is given. */
async function refresh(change = {}) {
  requests += 1;
  const request = requests;
  try {
    const answer = await send(change);
    if (!answer.ok || request !== requests) return; // a later answer tells more
    const form = await answer.json();
    refusal.textContent = form.refused;
    if (change.act && !form.refused) {
      source.value = form.source;
      isDirty = true;
    }
    replaceFields(form.html);
  } catch {
    // no connection: what is typed stays; the next change asks again
  }
}

function send(change) {
  const language = fields.querySelector("[data-tongue]")?.value ?? "";
  const body = new URLSearchParams({
    csrf_token: editor.csrf_token.value,
    source: source.value,
    language,
    ...change,
  });
  const headers = { Accept: "application/json" };
  return fetch(editor.dataset.look, { method: "POST", body, headers });
}

/** New fields; what was open stays open, and the focus stays where it was. */
function replaceFields(html) {
  const focused = document.activeElement?.id;
  const open = [...fields.querySelectorAll("details[open]")].map((box) => box.dataset.more);
  fields.innerHTML = html;
  for (const box of fields.querySelectorAll("details")) box.open = open.includes(box.dataset.more);
  if (focused) document.getElementById(focused)?.focus();
}

let pause = null;
source.addEventListener("input", () => {
  isDirty = true;
  clearTimeout(pause);
  pause = setTimeout(refresh, QUIET_MS);
});

const idOf = (element) => element.closest("[data-id]")?.dataset.id;
function valueOf(control) {
  if (control.type !== "checkbox") return control.value;
  return control.checked ? "1" : "";
}

fields.addEventListener("change", ({ target }) => {
  if (target.matches("[data-tongue]")) {
    refresh();
    return;
  }
  const { act, part = "" } = target.dataset;
  if (act) refresh({ act, part, where: idOf(target), value: valueOf(target) });
});
fields.addEventListener("click", ({ target }) => {
  const line = target.closest("[data-line]");
  const button = target.closest("button[data-act]");
  if (line) {
    selectLine(Number(line.dataset.line));
  } else if (target.closest("[data-add-section]")) {
    const title = fields.querySelector("[data-new-section]").value;
    refresh({ act: "add_section", where: "", value: title });
  } else if (button) {
    const { act, part = "", value = "" } = button.dataset;
    const isNew = act === "add" || act === "option_add";
    const typed = isNew ? button.parentElement.querySelector("[data-new]").value : value;
    refresh({ act, part, where: idOf(button), value: typed });
  }
});
fields.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-new]")) return;
  event.preventDefault();
  event.target.parentElement.querySelector("button[data-act]").click();
});

// Drag a criterion to another place of its section; the buttons do the same for the keyboard.
let dragged = null;
const criterionAt = (event) => event.target.closest("li[data-id]");
fields.addEventListener("dragstart", (event) => {
  dragged = criterionAt(event);
});
fields.addEventListener("dragover", (event) => {
  const isSameSection = dragged && criterionAt(event)?.parentElement === dragged.parentElement;
  if (isSameSection) event.preventDefault(); // which allows the drop
});
fields.addEventListener("drop", async (event) => {
  const target = criterionAt(event);
  if (!dragged || !target || target === dragged) return;
  event.preventDefault();
  const all = [...target.parentElement.children];
  const steps = all.indexOf(target) - all.indexOf(dragged);
  const where = dragged.dataset.id;
  const act = steps > 0 ? "down" : "up";
  dragged = null;
  for (let step = 0; step < Math.abs(steps); step++) {
    // one after the other: each starts from the source that the last one made
    await refresh({ act, where, value: "" });
  }
});

function selectLine(number) {
  const lines = source.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((length, line) => length + line.length + 1, 0);
  source.focus();
  source.setSelectionRange(start, start + (lines[number - 1]?.length ?? 0));
  source.scrollTop = (number - 5) * parseFloat(getComputedStyle(source).lineHeight);
}

window.addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});
editor.addEventListener("submit", () => {
  isDirty = false;
});
document.body.dataset.ready = "yes";
