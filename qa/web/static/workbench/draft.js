// What is typed is kept in this browser until the server has it: it survives a crash.
// A store may be full or forbidden; then the server's last save is what there is.

const PREFIX = "earshot-card-";
// The server counts these itself; whether an answer was accepted follows from the answer.
const isContent = (name) => !["version", "seconds"].includes(name) && !name.startsWith("accepted.");

export function createDraft(form) {
  const key = PREFIX + form.dataset.card;
  const entries = () => [...new FormData(form)].filter(([name]) => name !== "csrf_token");

  /** `submitting` marks what may be thrown away once another card is opened. */
  function keep({ submitting = false } = {}) {
    const draft = { at: Date.now(), typed: entries(), submitting };
    withStore((store) => store.setItem(key, JSON.stringify(draft)));
  }
  const forget = () => withStore((store) => store.removeItem(key));

  /** Drafts of cards that were submitted: kept only in case the browser died on the way. */
  function forgetSubmitted() {
    withStore((store) => {
      const others = Object.keys(store).filter((name) => name.startsWith(PREFIX) && name !== key);
      for (const name of others) {
        if (JSON.parse(store.getItem(name)).submitting) store.removeItem(name);
      }
    });
  }

  /** Offer what was kept where it is not what the server has; `restore` gets its entries. */
  function offerKept(restore) {
    const draft = withStore((store) => JSON.parse(store.getItem(key)));
    if (!draft || content(draft.typed) === content(entries())) {
      forget();
      return;
    }
    const offer = form.querySelector("[data-recovered]");
    const time = new Date(draft.at).toLocaleString(document.documentElement.lang);
    offer.querySelector("time").textContent = time;
    offer.hidden = false;
    offer.querySelector("[data-restore]").addEventListener("click", () => {
      offer.hidden = true;
      restore(draft.typed);
    });
    offer.querySelector("[data-discard]").addEventListener("click", () => {
      offer.hidden = true;
      forget();
    });
  }

  return { keep, forget, forgetSubmitted, offerKept };
}

const content = (entries) =>
  JSON.stringify(entries.filter(([name, value]) => value && isContent(name)));

function withStore(act) {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}
