// Tables that stand on the page whole can be put in another order: a click on a column's head, once more the other way round.
// Without this script they stay as the server ordered them.
const language = document.documentElement.lang;
const collator = new Intl.Collator(language, { numeric: true });
const [group, point] = language === "it" ? [/\./g, ","] : [/,/g, "."];
function key(row, column) {
  const cell = row.cells[column];
  if (!cell) return "";
  const asked = cell.dataset.sort ?? cell.querySelector("[data-sort]")?.dataset.sort;
  const text = (asked ?? cell.textContent).trim();
  const number = /^[-−+]?[\d.,]+/.exec(text)?.[0];
  if (asked !== undefined || !cell.matches(".figure, .right")) return text;
  return number ? Number(number.replace("−", "-").replace(group, "").replace(point, ".")) : -Infinity;
}
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b)));
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2 || table.tBodies.length > 1 || table.querySelector("tbody [rowspan], tbody [colspan]")) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent.trim() || head.querySelector(".visually-hidden, input, a, button")) return;
    const button = document.createElement("button");
    button.type = "button"; button.className = "sort"; button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.ariaSort === "descending" || (head.ariaSort === null && !head.matches(".right"));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.ariaSort = up ? "ascending" : "descending";
      const rows = [...body.rows].map((row) => [key(row, column), row]).sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
      body.append(...rows.map(([, row]) => row));
    });
  });
}
