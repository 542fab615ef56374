// Presses a button without leaving the page, and keeps people, doors and sensors up to date.
// Without this file the page works too: each button is a form that comes back to it.
"use strict";

const EVERY_MS = 2000;
const said = document.getElementById("said");
const language = document.documentElement.lang;
let lost = false;

function show(rooms) {
  for (const room of rooms) {
    document.querySelector(`[data-people="${room.id}"]`).textContent = room.people;
    for (const door of room.doors) {
      for (const mark of document.querySelectorAll(`[data-door="${door.id}"]`)) mark.hidden = !door.is_open;
    }
    for (const device of room.devices) {
      const state = document.querySelector(`[data-device="${device.id}"]`);
      state.textContent = device.state;
      state.classList.toggle("broken", device.broken);
      const repair = document.querySelector(`[data-repair="${device.id}"]`);
      repair.textContent = device.repair;
      repair.setAttribute("aria-label", `${device.id}: ${device.repair}`);
      repair.disabled = !device.broken;
    }
  }
}

async function refresh() {
  try {
    const answer = await fetch(`/state?lang=${language}`);
    show((await answer.json()).rooms);
    if (lost) said.textContent = "";
    lost = false;
  } catch {
    lost = true;
    said.textContent = document.body.dataset.lost;
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  const { done, failed } = document.body.dataset;
  const label = button.getAttribute("aria-label") || button.firstChild.textContent.trim();
  const title = button.form.querySelector("h2").textContent;
  try {
    const answer = await fetch(button.formAction, { method: "POST", headers: { accept: "application/json" } });
    said.textContent = answer.ok ? `${title}: ${label} · ${done}` : failed;
    await refresh();
  } catch {
    said.textContent = failed;
  }
});

setInterval(refresh, EVERY_MS);
