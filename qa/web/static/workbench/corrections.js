// A recognised word set right: the one that is heard, or else the one clicked last.
// What was recognised is kept beside the correction.
import { post } from "./post.js";

/** `onFailure` is called where the server could not be reached or did not take the correction. */
export function startCorrections(form, player, onFailure) {
  const dialog = document.querySelector("[data-correct]");
  const transcript = document.querySelector("[data-transcript]");
  const input = dialog.querySelector("[data-correction]");
  let word = null;

  function ask() {
    const chosen = document.querySelector(".w.is-now[data-at]") ?? word;
    if (!chosen || dialog.open) return;
    word = chosen;
    player?.pause();
    dialog.querySelector("[data-recognised]").textContent = word.textContent;
    input.value = word.textContent.trim();
    dialog.returnValue = "";
    dialog.showModal();
    input.select();
  }
  async function correct() {
    const text = input.value.trim();
    if (dialog.returnValue !== "save" || !text || text === word.textContent.trim()) return;
    const [utterance, number] = word.dataset.at.split(".");
    const body = new URLSearchParams({ utterance, word: number, text });
    try {
      const answer = await post(dialog.dataset.url, body, form);
      if (answer.ok) show(word, (await answer.json()).text);
      else onFailure();
    } catch {
      onFailure();
    }
  }

  dialog.addEventListener("close", correct);
  transcript?.addEventListener("click", (event) => {
    word = event.target.closest(".w[data-at]") ?? word;
  });
  transcript?.addEventListener("dblclick", (event) => {
    if (event.target.closest(".w[data-at]")) ask();
  });
  return { ask, isOpen: () => dialog.open };
}

function show(word, text) {
  word.title = word.textContent;
  word.textContent = text;
  word.classList.add("corrected");
  word.classList.remove("doubtful");
}
