// The keyboard of the workbench. While one writes, only Escape and Ctrl-Enter mean something.
import { reasonOf } from "./criteria.js";

const WRITING = "textarea, select, input:not([type=radio]):not([type=checkbox])";

export function startKeys(form, { criteria, notes, corrections, player }) {
  const help = document.querySelector("[data-keys]");
  const showHelp = () => help.showModal();
  document.querySelector("[data-help]").addEventListener("click", showHelp);

  function accept() {
    if (criteria.accept(criteria.current())) criteria.move(1);
  }
  function answer(option) {
    const criterion = criteria.current();
    if (!criteria.choose(criterion, criteria.radio(option))) return;
    const reason = reasonOf(criterion);
    if (reason.hidden || option === "n") criteria.move(1);
    else reason.querySelector("input").focus();
  }
  function comment() {
    const box = criteria.current().querySelector(".comment");
    box.open = true;
    box.querySelector("textarea").focus();
  }
  const keys = {
    " ": () => player?.toggle(),
    ArrowLeft: () => player?.jump(-5),
    ArrowRight: () => player?.jump(5),
    j: () => criteria.move(1),
    k: () => criteria.move(-1),
    a: accept,
    Enter: accept,
    n: () => answer("n"),
    c: comment,
    m: notes.focus,
    w: corrections.ask,
    l: () => player?.loop(),
    e: () => criteria.current().querySelector("[data-play-from]")?.click(),
    "?": showHelp,
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (target.closest(WRITING)) {
      if (key === "Escape") target.blur();
      return;
    }
    if (help.open || corrections.isOpen()) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // these press what has the focus
    if ((key === " " || key === "Enter") && target.closest("button, a, summary")) return;
    const isAnswer = /^[1-9]$/.test(key) && criteria.radio(key);
    const act = isAnswer ? () => answer(key) : keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
