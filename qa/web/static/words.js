// The words of a transcript: lit up while they are heard, clicked to play from, searched.

const SHORTEST_WORD_SECONDS = 0.08; // or it would pass between two steps of the player

/** Light up the words that are heard; a click on a word or a time plays from it. */
export function followWords(root, box, playFrom) {
  const transcript = root.querySelector("[data-transcript]");
  if (!transcript) return () => {};
  const words = timedWords(transcript);
  transcript.addEventListener("click", (event) => {
    const clicked = event.target.closest("[data-seek]") ?? event.target.closest(".w");
    if (clicked) playFrom(Number(clicked.dataset.seek ?? clicked.dataset.s));
  });
  const follows = box.querySelector("[data-follow]");
  let lit = [];
  return (time) => {
    const spoken = words
      .filter((word) => word.start <= time && time < word.end)
      .map((word) => word.element);
    if (spoken.length === lit.length && spoken.every((element, i) => element === lit[i])) return;
    lit.forEach((element) => markAsHeard(element, false));
    spoken.forEach((element) => markAsHeard(element, true));
    lit = spoken;
    const utterance = spoken[0]?.closest(".said");
    if (utterance && follows.checked) scrollIntoTranscript(transcript, utterance);
  };
}

/** In the order in which they are spoken: two people may speak at once. */
function timedWords(transcript) {
  const words = [...transcript.querySelectorAll(".w")].map((element) => {
    const start = Number(element.dataset.s);
    const end = Math.max(Number(element.dataset.e), start + SHORTEST_WORD_SECONDS);
    return { element, start, end };
  });
  return words.toSorted((a, b) => a.start - b.start);
}

function markAsHeard(word, isHeard) {
  word.classList.toggle("is-now", isHeard);
  word.closest(".said").classList.toggle("is-now", isHeard);
}

/** Scroll the transcript, not the page, and only where the utterance is not in view. */
function scrollIntoTranscript(transcript, utterance) {
  const top = utterance.offsetTop - transcript.offsetTop;
  const isAbove = top < transcript.scrollTop;
  const isBelow =
    top + utterance.offsetHeight > transcript.scrollTop + transcript.clientHeight - 40;
  if (isAbove || isBelow) transcript.scrollTop = top - 60;
}

/** Search in the call: a match may span words; case and white space do not count (Chinese has none). */
export function startSearch(root) {
  const input = root.querySelector("[data-find]");
  const transcript = root.querySelector("[data-transcript]");
  if (!input || !transcript) return;
  const count = root.querySelector("[data-found]");
  const search = () => {
    transcript.querySelectorAll(".is-found").forEach((word) => word.classList.remove("is-found"));
    const wanted = plain(input.value);
    let matches = 0;
    for (const utterance of wanted ? transcript.querySelectorAll(".said") : []) {
      const inUtterance = markMatches([...utterance.querySelectorAll(".w")], wanted);
      if (inUtterance && !matches) {
        transcript.scrollTop = utterance.offsetTop - transcript.offsetTop - 60;
      }
      matches += inUtterance;
    }
    count.textContent = wanted ? String(matches) : "";
  };
  if (input.value) search();
  input.addEventListener("input", search);
  input.addEventListener("search", search);
}

const plain = (text) => text.toLowerCase().replace(/\s+/g, "");

/** Mark the words that any occurrence touches; returns how often it occurs. */
function markMatches(words, wanted) {
  let line = "";
  const starts = words.map((word) => {
    const start = line.length;
    line += plain(word.textContent);
    return start;
  });
  let matches = 0;
  for (let at = line.indexOf(wanted); at >= 0; at = line.indexOf(wanted, at + 1)) {
    matches += 1;
    words.forEach((word, i) => {
      const end = starts[i + 1] ?? line.length;
      if (starts[i] < at + wanted.length && end > at) word.classList.add("is-found");
    });
  }
  return matches;
}
