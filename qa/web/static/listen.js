// Pages with a player and nothing to fill in.
import { startPlayer } from "./player.js";
import { startSearch } from "./words.js";

const player = await startPlayer(document);
startSearch(document);

const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: () => player.jump(-5),
  ArrowRight: () => player.jump(5),
};
document.addEventListener("keydown", (event) => {
  const isControl = event.target.closest("input, textarea, select, button, a, summary");
  if (!player || isControl || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
document.body.dataset.ready = "yes";
