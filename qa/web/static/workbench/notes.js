// Notes for the agent, pinned to moments of the call.
import { clock } from "../clock.js";

/** `onChange` is called when a person adds or removes a note. */
export function createNotes(form, player, onChange) {
  const list = form.querySelector("[data-notes]");
  const input = form.querySelector("[data-new-note]");
  const pins = new Map();

  function add(time, text) {
    const item = document.createElement("li");
    item.append(...noteElements(time, text));
    list.append(item);
    pins.set(item, player?.pin(time, text));
  }
  function addTyped() {
    const text = input.value.trim();
    if (!text) {
      input.focus();
      return;
    }
    add(Number((player?.time() ?? 0).toFixed(2)), text);
    input.value = "";
    onChange();
  }
  function remove(item) {
    pins.get(item)?.remove();
    item.remove();
    onChange();
  }

  for (const item of list.querySelectorAll("li")) {
    const time = Number(item.querySelector("[data-play-from]").dataset.playFrom);
    pins.set(item, player?.pin(time, item.querySelector("span:not(.figure)").textContent));
  }
  form.querySelector("[data-add-note]").addEventListener("click", addTyped);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // or the scorecard would be submitted
    addTyped();
  });
  list.addEventListener("click", (event) => {
    if (event.target.closest("[data-remove-note]")) remove(event.target.closest("li"));
  });

  return {
    focus: () => input.focus(),
    clear: () => list.replaceChildren(),
    /** As the form sends them: "12.5|text". */
    restore(value) {
      const bar = value.indexOf("|");
      add(Number(value.slice(0, bar)), value.slice(bar + 1));
    },
  };
}

/** The same elements that workbench.html writes for notes already saved. */
function noteElements(time, text) {
  const play = element("button", { type: "button", className: "evidence figure" });
  play.textContent = clock(time);
  play.dataset.playFrom = time;
  const words = element("span", { textContent: text });
  const field = element("input", { type: "hidden", name: "note", value: `${time}|${text}` });
  const remove = element("button", { type: "button", className: "btn btn-sm", textContent: "×" });
  remove.dataset.removeNote = "";
  remove.setAttribute("aria-label", `× ${text}`);
  return [play, words, field, remove];
}

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
