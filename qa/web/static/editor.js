// A form's draft as fields and as YAML: both the same document. Every change goes through the server, which reads the form as it will be used.
const editor = document.querySelector("[data-editor]");
const fields = document.querySelector("[data-fields]");
const source = editor.querySelector("#source");
const said = editor.querySelector("[data-said]");
let asked = 0,
  dirty = false;

async function look(change = {}) {
  const turn = ++asked,
    language = fields.querySelector("[data-tongue]")?.value ?? "";
  const body = new URLSearchParams({
    csrf_token: editor.csrf_token.value,
    source: source.value,
    language,
    ...change,
  });
  try {
    const answer = await fetch(editor.dataset.look, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    });
    if (!answer.ok || turn !== asked) return;
    const now = await answer.json();
    said.textContent = now.refused;
    if (change.act && !now.refused) {
      source.value = now.source;
      dirty = true;
    }
    const focused = document.activeElement?.id,
      open = [...fields.querySelectorAll("details[open]")].map((d) => d.dataset.more);
    fields.innerHTML = now.html;
    for (const d of fields.querySelectorAll("details")) d.open = open.includes(d.dataset.more);
    if (focused) document.getElementById(focused)?.focus();
  } catch {
    /* no connection: what is typed stays; the next change asks again */
  }
}
let pause = null;
source.addEventListener("input", () => {
  dirty = true;
  clearTimeout(pause);
  pause = setTimeout(look, 500);
});
const idOf = (el) => el.closest("[data-id]")?.dataset.id;
fields.addEventListener("change", (e) => {
  if (e.target.matches("[data-tongue]")) {
    look();
    return;
  }
  const { act, part = "" } = e.target.dataset;
  const value = e.target.type === "checkbox" ? (e.target.checked ? "1" : "") : e.target.value;
  if (act) look({ act, part, where: idOf(e.target), value });
});
fields.addEventListener("click", (e) => {
  const line = e.target.closest("[data-line]");
  if (line) {
    toLine(Number(line.dataset.line));
    return;
  }
  if (e.target.closest("[data-add-section]")) {
    look({
      act: "add_section",
      where: "",
      value: fields.querySelector("[data-new-section]").value,
    });
    return;
  }
  const button = e.target.closest("button[data-act]");
  if (!button) return;
  const { act, part = "", value = "" } = button.dataset;
  const typed =
    act === "add" || act === "option_add"
      ? button.parentElement.querySelector("[data-new]").value
      : value;
  look({ act, part, where: idOf(button), value: typed });
});
fields.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && e.target.matches("[data-new]")) {
    e.preventDefault();
    e.target.parentElement.querySelector("button[data-act]").click();
  }
});

// Drag a criterion to another place of its section; the buttons do the same for the keyboard.
let dragged = null;
fields.addEventListener("dragstart", (e) => {
  dragged = e.target.closest("li[data-id]");
});
fields.addEventListener("dragover", (e) => {
  if (dragged && e.target.closest("li[data-id]")?.parentElement === dragged.parentElement)
    e.preventDefault();
});
fields.addEventListener("drop", async (e) => {
  const target = e.target.closest("li[data-id]");
  if (!dragged || !target || target === dragged) return;
  e.preventDefault();
  const all = [...target.parentElement.children];
  let steps = all.indexOf(target) - all.indexOf(dragged);
  const where = dragged.dataset.id;
  dragged = null;
  for (; steps !== 0; steps -= Math.sign(steps))
    await look({ act: steps > 0 ? "down" : "up", where, value: "" });
});

function toLine(n) {
  const before = source.value
    .split("\n")
    .slice(0, n - 1)
    .join("\n").length;
  source.focus();
  source.setSelectionRange(before + 1, before + 1 + (source.value.split("\n")[n - 1]?.length ?? 0));
  source.scrollTop = (n - 5) * parseFloat(getComputedStyle(source).lineHeight);
}
window.addEventListener("beforeunload", (e) => {
  if (dirty) e.preventDefault();
});
editor.addEventListener("submit", () => {
  dirty = false;
});
document.body.dataset.ready = "yes";
