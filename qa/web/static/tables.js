// Tables that stand on the page whole. They can be put in another order (a click on a column's head,
// once more the other way round), and in a long one rows can be found.
// Without this script they stay as the server made them.

const language = document.documentElement.lang;
const collator = new Intl.Collator(language, { numeric: true });
const [GROUP_SIGN, POINT] = language === "it" ? [/\./g, ","] : [/,/g, "."];
const EMPTY = -Infinity; // a figure that is not there comes after all others

/** What a row is ordered by: what the server wrote into data-sort, a figure, or the cell's text. */
function sortKey(row, column) {
  const cell = row.cells[column];
  if (!cell) return "";
  const written = cell.dataset.sort ?? cell.querySelector("[data-sort]")?.dataset.sort;
  const text = (written ?? cell.textContent).trim();
  const isFigure = written === undefined && cell.matches(".figure, .right");
  return isFigure ? figureIn(text) : text;
}

/** "−1,234.5 (n = 7)" is -1234.5; signs and groups as the page's language writes them. */
function figureIn(text) {
  const digits = /^[<>\s]*([-−+]?[\d.,]+)/.exec(text)?.[1];
  if (!digits) return EMPTY;
  return Number(digits.replace("−", "-").replace(GROUP_SIGN, "").replace(POINT, "."));
}

function compare(a, b) {
  const areNumbers = typeof a === "number" && typeof b === "number";
  return areNumbers ? a - b : collator.compare(String(a), String(b));
}

function sortRows(body, column, direction) {
  const rows = [...body.rows].map((row) => [sortKey(row, column), row]);
  const inOrder = rows.toSorted((a, b) => direction * compare(a[0], b[0]));
  body.append(...inOrder.map(([, row]) => row));
}

/** A head that holds no control of its own becomes a button; figures begin with the largest. */
function makeSortable(head, column, body) {
  if (!head.textContent.trim() || head.querySelector(".visually-hidden, input, a, button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sort";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const isFirst = head.ariaSort === null;
    const isAscending = isFirst ? !head.matches(".right") : head.ariaSort === "descending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.ariaSort = isAscending ? "ascending" : "descending";
    sortRows(body, column, isAscending ? 1 : -1);
  });
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const [body] = table.tBodies;
  const isPlain =
    table.tBodies.length === 1 && !table.querySelector("tbody [rowspan], tbody [colspan]");
  if (isPlain && body.rows.length > 1) {
    [...table.tHead.rows[0].cells].forEach((head, column) => makeSortable(head, column, body));
  }
}

const escaped = (word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Matches where a word of the text begins like this one; Chinese has no gaps between words. */
function beginning(word) {
  const isChinese = /\p{Script=Han}/u.test(word);
  const noLetterBefore = isChinese ? "" : "(?<![\\p{L}\\p{N}])";
  return new RegExp(noLetterBefore + escaped(word), "u");
}

/** Only rows stay whose first two cells hold words that begin like all those typed. */
function startFinding(box) {
  const input = box.querySelector("input");
  const count = box.querySelector("output");
  const rows = [...document.querySelectorAll(`#${CSS.escape(input.dataset.table)} tbody tr`)];
  let texts = null; // read when they are first asked for: a table may be long

  function find() {
    const typed = input.value.toLocaleLowerCase(language).split(/\s+/).filter(Boolean);
    const patterns = typed.map(beginning);
    texts ??= rows.map(textToFind);
    let matches = 0;
    rows.forEach((row, i) => {
      row.hidden = !patterns.every((pattern) => pattern.test(texts[i]));
      matches += !row.hidden;
    });
    const [some, all] = [matches, rows.length].map((n) => n.toLocaleString(language));
    count.textContent = patterns.length ? `${some} / ${all}` : "";
  }
  input.addEventListener("input", find);
  box.classList.add("ready");
  if (input.value) find();
}

function textToFind(row) {
  const cells = [...row.cells].slice(0, 2);
  return cells
    .map((cell) => cell.textContent)
    .join(" ")
    .toLocaleLowerCase(language);
}

document.querySelectorAll(".find-in").forEach(startFinding);
