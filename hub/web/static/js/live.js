/* Keeps the page true: the hub says "changed", the page fetches itself again.

   - Never more than one request is under way; what arrives meanwhile causes one more after it.
   - htmx morphs the old part into the new one, so focus, scroll position and open lists stay.
   - The hub beats every 3 s. After 8 s without any word the link counts as lost: the page says so,
     goes grey and keeps trying. A page that is merely old is never passed off as the present.
   - A refresh every 10 s stands in where the stream is blocked, and moves the clock. */
(() => {
  "use strict";

  const BEAT_LIMIT = 8000;
  const SAY_EVERY = 20000; // a screen reader is told the sum of changes, not each one
  const root = document.documentElement;
  const stage = document.getElementById("live");
  const refreshEvery = Number(stage.dataset.every || 10000); // a screen that takes turns asks sooner
  const notice = document.getElementById("lost");
  const said = document.getElementById("said");

  let source = null;
  let heard = Date.now();
  let lostAt = 0;
  let wait = 500;
  let running = false;
  let again = false;
  let fetched = Date.now();
  let spoken = summary();
  let spokenAt = 0;

  function summary() {
    const line = document.getElementById("summary");
    return line ? line.textContent.trim() : "";
  }

  function marks() {
    const found = new Map();
    for (const card of stage.querySelectorAll("[data-status]")) {
      found.set(card.id, card.textContent);
    }
    return found;
  }

  function fade(before) {
    for (const card of stage.querySelectorAll("[data-status]")) {
      if (before.has(card.id) && before.get(card.id) !== card.textContent) {
        card.classList.add("changed");
      }
    }
  }

  async function refresh() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      fetched = Date.now();
      const before = marks();
      try {
        await htmx.ajax("GET", stage.dataset.live, { source: stage, target: stage, swap: "innerMorph" });
      } catch {
        break; // the beat notices a hub that is gone
      }
      fade(before);
    } while (again);
    running = false;
    speak();
  }

  function speak() {
    const now = summary();
    if (now !== spoken && Date.now() - spokenAt > SAY_EVERY) {
      said.textContent = spoken = now;
      spokenAt = Date.now();
    }
  }

  function alive() {
    heard = Date.now();
    wait = 500;
    if (lostAt) {
      lostAt = 0;
      notice.hidden = true;
      delete root.dataset.link;
      said.textContent = notice.dataset.found;
      refresh();
    }
  }

  function showLoss() {
    if (!lostAt) {
      lostAt = heard;
      said.textContent = notice.dataset.said;
      root.dataset.link = "down";
    }
    const seconds = Math.round((Date.now() - lostAt) / 1000);
    notice.lastElementChild.textContent = notice.dataset.text.replaceAll("{seconds}", seconds);
    notice.hidden = false;
  }

  /* A stream that is refused for good: whoever was signed in is not any more. The page asks anew,
     and is led to where one signs in. */
  async function ask() {
    try {
      const answer = await fetch(location.href, { method: "HEAD", headers: { "HX-Request": "true" } });
      if (answer.status === 401 || answer.status === 403) location.reload();
    } catch {
      // the hub is gone; the beat says so
    }
  }

  function open() {
    if (source) source.close();
    source = new EventSource(root.dataset.events);
    source.onopen = () => { alive(); refresh(); };
    source.onmessage = () => { alive(); refresh(); };
    source.addEventListener("beat", alive);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(open, wait);
        wait = Math.min(wait * 2, 5000);
        ask();
      }
    };
  }

  let opened = Date.now();
  function watch() {
    const now = Date.now();
    if (now - heard > BEAT_LIMIT) {
      showLoss();
      if (now - opened > BEAT_LIMIT) {
        opened = now; // a line that is dead without saying so is opened anew
        open();
      }
    } else if (now - fetched > refreshEvery) {
      refresh();
    }
    speak();
  }

  document.addEventListener("animationend", (event) => event.target.classList.remove("changed"));
  addEventListener("pageshow", (event) => { if (event.persisted) open(); }); // came "back" to it
  open();
  setInterval(watch, 500);
})();
