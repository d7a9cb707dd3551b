// Saving while people type: one request at a time, and what is typed meanwhile goes with the next.
// It survives a lost connection, an ended session and a second window with the same card.
import { post } from "./post.js";

const QUIET_MS = 700; // typing goes on until then
const NEXT_MS = 300;
const RETRY_MS = 4000;
const LEASE_MS = 10 * 60 * 1000;

export function startAutosave(form, { criteria, draft, stopwatch }) {
  const status = form.querySelector("[data-saved]");
  const statusWords = JSON.parse(status.dataset.words);
  const conflictBox = form.querySelector("[data-conflict]");
  let isDirty = false;
  let isSaving = false;
  let timer = null;
  let conflict = null;

  function showStatus(state) {
    status.dataset.state = state;
    status.textContent = statusWords[state];
  }
  function saveIn(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(save, milliseconds);
  }
  /** Something was changed: keep it here at once, at the server as soon as the typing pauses. */
  function touch() {
    isDirty = true;
    draft.keep();
    saveIn(QUIET_MS);
  }

  async function save() {
    if (isSaving || !isDirty || conflict) return;
    isSaving = true;
    isDirty = false;
    showStatus("saving");
    const seconds = stopwatch.unsentSeconds();
    try {
      const answer = await send(seconds);
      if (answer.ok) {
        stopwatch.markSent(seconds);
        showSaved(await answer.json());
        if (!isDirty) draft.forget();
      } else {
        await explain(answer);
      }
    } catch {
      tryAgain("offline");
    }
    isSaving = false;
    if (isDirty && !conflict) saveIn(status.dataset.state === "saved" ? NEXT_MS : RETRY_MS);
  }
  function send(seconds) {
    const body = new FormData(form);
    body.set("seconds", seconds.toFixed(1));
    return post(form.dataset.save, body, form);
  }
  function tryAgain(state) {
    isDirty = true;
    showStatus(state);
  }

  function showSaved(card) {
    form.version.value = card.version;
    const score = card.score?.toLocaleString(document.documentElement.lang, {
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    });
    form.querySelector("[data-score]").textContent = score ?? "–";
    form.querySelector("[data-answered]").textContent = card.answered;
    form.querySelector("[data-of]").textContent = card.of;
    const progress = form.querySelector("[data-progress]");
    progress.max = card.of;
    progress.value = card.answered;
    for (const criterion of form.querySelectorAll("[data-criterion]")) {
      criterion.hidden = !card.open.includes(criterion.dataset.criterion);
    }
    showStatus("saved");
  }

  async function explain(answer) {
    if (answer.status === 401) return tryAgain("signed_out");
    if (answer.status === 400) return tryAgain((await renewToken(form)) ? "saving" : "signed_out");
    if (answer.status === 409) {
      const card = await answer.json();
      if (card.submitted) return location.assign(card.location);
      if (card.conflict) return showConflict(card);
    }
    return tryAgain("offline");
  }

  /** The card was saved in another window: a person decides which version stays. */
  function showConflict(card) {
    conflict = card;
    showStatus("conflict");
    const differences = criteria.shown().flatMap((criterion) => {
      const mine = criterion.querySelector("input[type=radio]:checked")?.value ?? "–";
      const theirs = card.theirs.answers[criterion.dataset.criterion]?.option ?? "–";
      if (mine === theirs) return [];
      const item = document.createElement("li");
      const title = criterion.querySelector("legend").textContent.trim();
      item.textContent = `${title}: ${mine} / ${theirs}`;
      return [item];
    });
    form.querySelector("[data-differences]").replaceChildren(...differences);
    conflictBox.hidden = false;
    conflictBox.scrollIntoView({ block: "nearest" });
  }
  form.querySelector("[data-keep-mine]").addEventListener("click", () => {
    form.version.value = conflict.version;
    conflict = null;
    conflictBox.hidden = true;
    touch();
  });
  form.querySelector("[data-take-theirs]").addEventListener("click", () => {
    isDirty = false;
    draft.forget();
    location.reload();
  });

  form.addEventListener("input", (event) => {
    if (event.target.matches("textarea, input:not([type=radio]):not([data-new-note])")) touch();
  });
  form.addEventListener("submit", (event) => {
    if (conflict) {
      event.preventDefault();
      return;
    }
    isDirty = false;
    clearTimeout(timer);
    draft.keep({ submitting: true });
  });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty || isSaving) event.preventDefault();
  });
  // a sign of life renews the lease of the call, also while nothing is typed
  setInterval(() => {
    if (document.hidden || conflict) return;
    isDirty = true;
    save();
  }, LEASE_MS);

  return { touch, showStatus };
}

/** Signed in again in another tab, the old token is void; false where nobody is signed in. */
async function renewToken(form) {
  const answer = await fetch(form.dataset.token, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) return false;
  form.csrf_token.value = (await answer.json()).token;
  return true;
}
