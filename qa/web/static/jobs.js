// The progress bar of the jobs page, in step while something runs.
const bar = document.querySelector("[data-jobs]");
const text = document.querySelector("[data-jobs-text]");
async function look() {
  const answer = await fetch(bar.dataset.jobs, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const n = await answer.json();
  const total = n.waiting + n.running + n.done + n.set_aside;
  bar.max = total || 1;
  bar.value = n.done;
  text.textContent = `${n.done} / ${total}`;
  if (n.waiting + n.running > 0) setTimeout(look, 2000);
}
if (bar) look();
