// Pages with a player and nothing to fill in.
import { startPlayer, startSearch } from "./player.js";

const player = await startPlayer(document);
startSearch(document);
document.addEventListener("keydown", (e) => {
  if (
    !player ||
    e.target.closest("input, textarea, select, button, a, summary") ||
    e.ctrlKey ||
    e.metaKey ||
    e.altKey
  )
    return;
  if (e.key === " ") {
    e.preventDefault();
    player.toggle();
  }
  if (e.key === "ArrowLeft") {
    e.preventDefault();
    player.jump(-5);
  }
  if (e.key === "ArrowRight") {
    e.preventDefault();
    player.jump(5);
  }
});
document.body.dataset.ready = "yes";
