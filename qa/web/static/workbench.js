// The scorecard: answers by keyboard, autosave that survives a lost connection, an ended session and a second window.
import { clock, startPlayer, startSearch } from "./player.js";

const form = document.querySelector("[data-scorecard]");
const player = await startPlayer(document);
startSearch(document);
const saved = form.querySelector("[data-saved]");
const words = JSON.parse(saved.dataset.words);
const criteria = () => [...form.querySelectorAll("[data-criterion]:not([hidden])")];
let current =
  criteria().find((c) => !c.querySelector("input[type=radio]:checked")) ?? criteria()[0];

function stand(criterion, { scroll = true } = {}) {
  if (!criterion) return;
  current?.classList.remove("is-current");
  current = criterion;
  current.classList.add("is-current");
  if (scroll) current.scrollIntoView({ block: "nearest" });
}
const move = (by) => {
  const all = criteria();
  stand(all[Math.min(all.length - 1, Math.max(0, all.indexOf(current) + by))]);
};

function choose(criterion, radio, { accepted = false } = {}) {
  if (!radio) return false;
  radio.checked = true;
  criterion.querySelector("input[name^='accepted.']").value = accepted ? "1" : "0";
  const suggestion = criterion.dataset.suggestion;
  criterion.querySelector("[data-reason]").hidden = !(suggestion && radio.value !== suggestion);
  criterion.classList.remove("has-fault");
  criterion.querySelector("[data-fault]").textContent = "";
  touch();
  return true;
}
function accept(criterion) {
  const { suggestion } = criterion.dataset;
  return suggestion
    ? choose(criterion, criterion.querySelector(`input[type=radio][value="${suggestion}"]`), {
        accepted: true,
      })
    : false;
}

// How long a person has worked on this call: counted while the page is seen and something is done or heard, paused when they are away.
const AWAY_AFTER = 90;
const timer = form.querySelector("[data-timer]");
let spent = Number(form.dataset.spent),
  unsent = 0,
  lastSign = performance.now(),
  lastTick = performance.now();
for (const sign of ["keydown", "pointerdown", "pointermove", "wheel"])
  document.addEventListener(
    sign,
    () => {
      lastSign = performance.now();
    },
    { passive: true },
  );
function tick() {
  const now = performance.now(),
    gone = (now - lastTick) / 1000;
  lastTick = now;
  const isHere = !document.hidden && (player?.isPlaying() || now - lastSign < AWAY_AFTER * 1000);
  if (isHere && gone < 5) {
    spent += gone;
    unsent += gone;
  }
  timer.textContent = clock(spent);
  timer.classList.toggle("is-away", !isHere);
}
setInterval(tick, 1000);
tick();

// What is typed is kept in this browser until the server has it: it survives a crash.
const KEPT = `earshot-card-${form.dataset.card}`;
function typed() {
  return [...new FormData(form)].filter(([name]) => name !== "csrf_token");
}
function keep(submitting = false) {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ at: Date.now(), typed: typed(), submitting }));
  } catch {
    /* a full or forbidden store: the server has the last save */
  }
}
function forget() {
  try {
    localStorage.removeItem(KEPT);
  } catch {
    /* likewise */
  }
}
function putBack(entries) {
  form.querySelectorAll("input[type=radio]").forEach((r) => {
    r.checked = false;
  });
  form.querySelector("[data-notes]").replaceChildren();
  for (const [name, value] of entries) {
    if (name === "version" || name === "seconds") continue;
    if (name === "note") {
      const bar = value.indexOf("|");
      addNote(Number(value.slice(0, bar)), value.slice(bar + 1));
      continue;
    }
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio") {
        if (field.value === value) choose(field.closest("[data-criterion]"), field);
      } else field.value = value;
    }
  }
  touch();
}
/** What a submission left behind goes when the next card is opened; it was kept only in case the browser died on the way. */
function forgetSubmitted() {
  try {
    for (const key of Object.keys(localStorage))
      if (
        key.startsWith("earshot-card-") &&
        key !== KEPT &&
        JSON.parse(localStorage.getItem(key)).submitting
      )
        localStorage.removeItem(key);
  } catch {
    /* a forbidden or foreign store */
  }
}
function offerWhatWasKept() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT));
  } catch {
    /* nothing readable */
  }
  const content = (entries) =>
    JSON.stringify(
      entries.filter(
        ([name, value]) =>
          value && name !== "version" && name !== "seconds" && !name.startsWith("accepted."),
      ),
    );
  if (!kept || content(kept.typed) === content(typed())) {
    forget();
    return;
  }
  const box = form.querySelector("[data-recovered]");
  box.querySelector("time").textContent = new Date(kept.at).toLocaleString(
    document.documentElement.lang,
  );
  box.hidden = false;
  box.querySelector("[data-restore]").addEventListener("click", () => {
    box.hidden = true;
    putBack(kept.typed);
  });
  box.querySelector("[data-discard]").addEventListener("click", () => {
    box.hidden = true;
    forget();
  });
}

// Autosave: one request at a time; what is typed meanwhile goes with the next.
let dirty = false,
  busy = false,
  pause = null,
  conflict = null;
function touch() {
  dirty = true;
  keep();
  clearTimeout(pause);
  pause = setTimeout(save, 700);
}
async function save() {
  if (busy || !dirty || conflict) return;
  busy = true;
  dirty = false;
  say("saving");
  const sending = unsent,
    body = new FormData(form);
  body.set("seconds", sending.toFixed(1));
  try {
    const answer = await fetch(form.dataset.save, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": form.csrf_token.value },
    });
    if (answer.ok) {
      unsent -= sending;
      received(await answer.json());
      if (!dirty) forget();
    } else await refused(answer);
  } catch {
    again("offline");
  }
  busy = false;
  if (dirty && !conflict) {
    clearTimeout(pause);
    pause = setTimeout(save, saved.dataset.state === "saved" ? 300 : 4000);
  }
}
function again(state) {
  dirty = true;
  say(state);
}
function say(state) {
  saved.dataset.state = state;
  saved.textContent = words[state];
}
function received(now) {
  form.version.value = now.version;
  form.querySelector("[data-score]").textContent =
    now.score === null
      ? "–"
      : now.score.toLocaleString(document.documentElement.lang, {
          minimumFractionDigits: 1,
          maximumFractionDigits: 1,
        });
  form.querySelector("[data-answered]").textContent = now.answered;
  form.querySelector("[data-of]").textContent = now.of;
  const bar = form.querySelector("[data-progress]");
  bar.max = now.of;
  bar.value = now.answered;
  form.querySelectorAll("[data-criterion]").forEach((c) => {
    c.hidden = !now.open.includes(c.dataset.criterion);
  });
  say("saved");
}
async function refused(answer) {
  if (answer.status === 401) return again("signed_out");
  if (answer.status === 400) {
    // signed in again in another tab: the old token is void
    const fresh = await fetch(form.dataset.token, { headers: { Accept: "application/json" } });
    if (fresh.ok && !fresh.redirected) {
      form.csrf_token.value = (await fresh.json()).token;
      return again("saving");
    }
    return again("signed_out");
  }
  if (answer.status === 409) {
    const now = await answer.json();
    if (now.submitted) {
      location.assign(now.location);
      return;
    }
    if (now.conflict) return showConflict(now);
  }
  again("offline");
}
function showConflict(now) {
  conflict = now;
  say("conflict");
  const list = form.querySelector("[data-differences]");
  list.replaceChildren();
  for (const c of criteria()) {
    const mine = c.querySelector("input[type=radio]:checked")?.value ?? "–";
    const theirs = now.theirs.answers[c.dataset.criterion]?.option ?? "–";
    if (mine !== theirs)
      list.append(
        Object.assign(document.createElement("li"), {
          textContent: `${c.querySelector("legend").textContent.trim()}: ${mine} / ${theirs}`,
        }),
      );
  }
  form.querySelector("[data-conflict]").hidden = false;
  form.querySelector("[data-conflict]").scrollIntoView({ block: "nearest" });
}
form.querySelector("[data-keep-mine]").addEventListener("click", () => {
  form.version.value = conflict.version;
  conflict = null;
  form.querySelector("[data-conflict]").hidden = true;
  touch();
});
form.querySelector("[data-take-theirs]").addEventListener("click", () => {
  dirty = false;
  forget();
  location.reload();
});
window.addEventListener("beforeunload", (e) => {
  if (dirty || busy) e.preventDefault();
});
form.addEventListener("submit", (e) => {
  if (conflict) {
    e.preventDefault();
    return;
  }
  dirty = false;
  clearTimeout(pause);
  keep(true);
});
setInterval(
  () => {
    if (!document.hidden && !conflict) {
      dirty = true;
      save();
    }
  },
  10 * 60 * 1000,
); // a sign of life renews the lease

form.addEventListener("change", (e) => {
  const criterion = e.target.closest("[data-criterion]");
  if (criterion && e.target.type === "radio") {
    stand(criterion, { scroll: false });
    choose(criterion, e.target);
  }
});
form.addEventListener("input", (e) => {
  if (e.target.matches("textarea, input:not([type=radio]):not([data-new-note])")) touch();
});
form.addEventListener("focusin", (e) => {
  const c = e.target.closest("[data-criterion]");
  if (c) stand(c, { scroll: false });
});
form.addEventListener("click", (e) => {
  const clicked = e.target.closest("[data-criterion]");
  if (clicked) stand(clicked, { scroll: false });
  const button = e.target.closest("[data-accept]");
  if (button) {
    const c = button.closest("[data-criterion]");
    stand(c);
    accept(c);
  }
  if (e.target.closest("[data-remove-note]")) {
    const item = e.target.closest("li");
    pins.get(item)?.remove();
    item.remove();
    touch();
  }
});

// Notes pinned to the waveform.
const noteInput = form.querySelector("[data-new-note]");
const pins = new Map();
function addNote(at, text) {
  const item = document.createElement("li");
  const play = Object.assign(document.createElement("button"), {
    type: "button",
    className: "evidence figure",
    textContent: clock(at),
  });
  play.dataset.playFrom = at;
  const remove = Object.assign(document.createElement("button"), {
    type: "button",
    className: "btn btn-sm",
    textContent: "×",
  });
  remove.dataset.removeNote = "";
  remove.setAttribute("aria-label", `× ${text}`);
  const hidden = Object.assign(document.createElement("input"), {
    type: "hidden",
    name: "note",
    value: `${at}|${text}`,
  });
  item.append(
    play,
    Object.assign(document.createElement("span"), { textContent: text }),
    hidden,
    remove,
  );
  form.querySelector("[data-notes]").append(item);
  pins.set(item, player?.pin(at, text));
}
function pin() {
  const text = noteInput.value.trim();
  if (!text) {
    noteInput.focus();
    return;
  }
  addNote(Number((player?.time() ?? 0).toFixed(2)), text);
  noteInput.value = "";
  touch();
}
for (const item of form.querySelectorAll("[data-notes] li"))
  pins.set(
    item,
    player?.pin(
      Number(item.querySelector("[data-play-from]").dataset.playFrom),
      item.querySelector("span:not(.figure)").textContent,
    ),
  );
form.querySelector("[data-add-note]").addEventListener("click", pin);
noteInput.addEventListener("keydown", (e) => {
  if (e.key === "Enter") {
    e.preventDefault();
    pin();
  }
});

// A recognised word set right: the one clicked or heard last. What was recognised is kept.
const correct = document.querySelector("[data-correct]");
let word = null;
document.querySelector("[data-transcript]")?.addEventListener("click", (e) => {
  word = e.target.closest(".w[data-at]") ?? word;
});
document.querySelector("[data-transcript]")?.addEventListener("dblclick", (e) => {
  if (e.target.closest(".w[data-at]")) askForWord();
});
function askForWord() {
  const chosen = document.querySelector(".w.is-now[data-at]") ?? word;
  if (!chosen || correct.open) return;
  word = chosen;
  player?.pause();
  correct.querySelector("[data-recognised]").textContent = chosen.textContent;
  correct.querySelector("[data-correction]").value = chosen.textContent.trim();
  correct.returnValue = "";
  correct.showModal();
  correct.querySelector("[data-correction]").select();
}
correct.addEventListener("close", async () => {
  const said = correct.querySelector("[data-correction]").value.trim();
  if (correct.returnValue !== "save" || !said || said === word.textContent.trim()) return;
  const [utterance, number] = word.dataset.at.split(".");
  const body = new URLSearchParams({ utterance, word: number, text: said });
  try {
    const answer = await fetch(correct.dataset.url, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": form.csrf_token.value },
    });
    if (!answer.ok) {
      say("offline");
      return;
    }
    word.title = word.textContent;
    word.textContent = (await answer.json()).text;
    word.classList.add("corrected");
    word.classList.remove("doubtful");
  } catch {
    say("offline");
  }
});

// Keys. While one writes, only Escape and Ctrl-Enter mean something.
const help = document.querySelector("[data-keys]");
document.querySelector("[data-help]").addEventListener("click", () => help.showModal());
const KEYS = {
  " ": () => player?.toggle(),
  ArrowLeft: () => player?.jump(-5),
  ArrowRight: () => player?.jump(5),
  j: () => move(1),
  k: () => move(-1),
  a: () => {
    if (accept(current)) move(1);
  },
  Enter: () => {
    if (accept(current)) move(1);
  },
  n: () => {
    if (choose(current, current.querySelector("input[data-option='n']"))) move(1);
  },
  c: () => {
    const d = current.querySelector(".comment");
    d.open = true;
    d.querySelector("textarea").focus();
  },
  m: () => noteInput.focus(),
  w: askForWord,
  l: () => player?.loop(),
  e: () => current.querySelector("[data-play-from]")?.click(),
  "?": () => help.showModal(),
};
document.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
    e.preventDefault();
    form.requestSubmit();
    return;
  }
  const writing = e.target.closest(
    "textarea, select, input:not([type=radio]):not([type=checkbox])",
  );
  if (writing) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  if (help.open || correct.open || e.ctrlKey || e.metaKey || e.altKey) return;
  if ((e.key === " " || e.key === "Enter") && e.target.closest("button, a, summary")) return;
  if (/^[1-9]$/.test(e.key)) {
    const radio = current.querySelector(`input[data-option='${e.key}']`);
    if (radio) {
      e.preventDefault();
      choose(current, radio);
      const reason = current.querySelector("[data-reason]");
      if (!reason.hidden) reason.querySelector("input").focus();
      else move(1);
    }
    return;
  }
  const act = KEYS[e.key];
  if (act) {
    e.preventDefault();
    act();
  }
});
stand(current, { scroll: Boolean(form.querySelector("[data-faults]")) });
const firstFault = form.querySelector(".has-fault");
if (firstFault) stand(firstFault);
forgetSubmitted();
offerWhatWasKept();
document.body.dataset.ready = "yes";
