// Tables that stand on the page whole. They can be put in another order: a click on a column's head, once more the other way round.
// In a long one a name can be found: only rows stay whose first two cells hold words that begin like all those typed. Without this script they stay as the server made them.
const language = document.documentElement.lang;
const collator = new Intl.Collator(language, { numeric: true });
const [group, point] = language === "it" ? [/\./g, ","] : [/,/g, "."];
function key(row, column) {
  const cell = row.cells[column];
  if (!cell) return "";
  const asked = cell.dataset.sort ?? cell.querySelector("[data-sort]")?.dataset.sort;
  const text = (asked ?? cell.textContent).trim();
  const number = /^[<>\s]*([-−+]?[\d.,]+)/.exec(text)?.[1];
  if (asked !== undefined || !cell.matches(".figure, .right")) return text;
  return number
    ? Number(number.replace("−", "-").replace(group, "").replace(point, "."))
    : -Infinity;
}
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  if (
    !body ||
    body.rows.length < 2 ||
    table.tBodies.length > 1 ||
    table.querySelector("tbody [rowspan], tbody [colspan]")
  )
    continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent.trim() || head.querySelector(".visually-hidden, input, a, button"))
      return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up =
        head.ariaSort === "descending" || (head.ariaSort === null && !head.matches(".right"));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.ariaSort = up ? "ascending" : "descending";
      const rows = [...body.rows]
        .map((row) => [key(row, column), row])
        .sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
      body.append(...rows.map(([, row]) => row));
    });
  });
}
const plain = (word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
const beginning = (word) =>
  new RegExp((/\p{Script=Han}/u.test(word) ? "" : "(?<![\\p{L}\\p{N}])") + plain(word), "u"); // Chinese has no gaps between words
for (const box of document.querySelectorAll(".find-in")) {
  const [input, count] = [box.querySelector("input"), box.querySelector("output")];
  const rows = [...document.querySelectorAll(`#${CSS.escape(input.dataset.table)} tbody tr`)];
  let texts = null;
  const find = () => {
    const words = input.value
      .toLocaleLowerCase(language)
      .split(/\s+/)
      .filter(Boolean)
      .map(beginning);
    texts ??= rows.map((row) =>
      [...row.cells]
        .slice(0, 2)
        .map((cell) => cell.textContent)
        .join(" ")
        .toLocaleLowerCase(language),
    );
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => word.test(texts[i]));
      shown += !row.hidden;
    });
    count.textContent = words.length
      ? `${shown.toLocaleString(language)} / ${rows.length.toLocaleString(language)}`
      : "";
  };
  input.addEventListener("input", find);
  box.classList.add("ready");
  if (input.value) find();
}
