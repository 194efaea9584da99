// Brings what has [data-live] up to date without a reload.  Without JavaScript the page refreshes itself.
(() => {
  const live = () => document.querySelector("[data-live]");
  const unfinished = () => live()?.hasAttribute("data-unfinished");
  const count = (region) => region.querySelector("[data-count]");
  const words = (region) => region.textContent.replace(count(region)?.textContent, "").trim();

  async function update() {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!answer.ok || !fresh) return location.reload();
      // A screen reader hears changes of a live region that stays, not a region that is replaced.
      const said = live().querySelector("[role=status]");
      const saying = fresh.querySelector("[role=status]");
      if (said && saying) {
        if (words(said) !== words(saying)) said.replaceChildren(...saying.childNodes);
        else count(said)?.replaceWith(count(saying));  // seconds that pass are no news
        saying.replaceWith(said);
      }
      live().replaceWith(fresh);
      document.title = page.title;
    } catch { /* away for a moment: the next look will tell */ }
  }

  if (!unfinished()) return;
  const timer = setInterval(() => (unfinished() ? update() : clearInterval(timer)), 2000);
  const stream = live().dataset.events && new EventSource(live().dataset.events);
  if (!stream) return;
  stream.addEventListener("status", (event) => {
    update();
    if (["completed", "failed"].includes(JSON.parse(event.data).status)) stream.close();
  });
})();
