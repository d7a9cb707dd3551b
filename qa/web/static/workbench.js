// The workbench: a scorecard filled in beside the call, by mouse or by keyboard alone.
import { startPlayer } from "./player.js";
import { startSearch } from "./words.js";
import { startAutosave } from "./workbench/autosave.js";
import { startCorrections } from "./workbench/corrections.js";
import { createCriteria } from "./workbench/criteria.js";
import { createDraft } from "./workbench/draft.js";
import { startKeys } from "./workbench/keys.js";
import { createNotes } from "./workbench/notes.js";
import { startStopwatch } from "./workbench/stopwatch.js";

const form = document.querySelector("[data-scorecard]");
const player = await startPlayer(document);
startSearch(document);

const touch = () => autosave.touch();
const criteria = createCriteria(form, touch);
const notes = createNotes(form, player, touch);
const stopwatch = startStopwatch(form, player);
const draft = createDraft(form);
const autosave = startAutosave(form, { criteria, draft, stopwatch });
const corrections = startCorrections(form, player, () => autosave.showStatus("offline"));
startKeys(form, { criteria, notes, corrections, player });

/** Put a kept draft back into the form, in place of what the server had. */
function restore(entries) {
  for (const radio of form.querySelectorAll("input[type=radio]")) radio.checked = false;
  notes.clear();
  for (const [name, value] of entries) {
    if (name === "note") notes.restore(value);
    else if (name !== "version" && name !== "seconds") restoreField(name, value);
  }
  autosave.touch();
}
function restoreField(name, value) {
  for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
    if (field.type !== "radio") field.value = value;
    else if (field.value === value) criteria.choose(field.closest("[data-criterion]"), field);
  }
}

const hasFaults = Boolean(form.querySelector("[data-faults]"));
criteria.makeCurrent(criteria.current(), { scroll: hasFaults });
criteria.makeCurrent(form.querySelector(".has-fault"));
draft.forgetSubmitted();
draft.offerKept(restore);
document.body.dataset.ready = "yes";
