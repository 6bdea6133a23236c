// The person's hands: writes into the open chat and presses the buttons under messages.

import { el } from "/words.js";

const FIRST_PERSON = 1; // who writes when no chat is open yet
const ANSWER_LOOKS = 20, LOOK_MS = 250, READ_MS = 6000; // how long an answer is waited for, and stands
const room = document.getElementById("room");
const form = el("form", "talk");
const words = el("input");
Object.assign(words, { type: "text", placeholder: "Write as this person", autocomplete: "off" });
words.setAttribute("aria-label", "Message to the bot");
const send = el("button", "", "Send");
send.type = "submit";
const said = el("output");
form.append(words, send, said);
room.append(form);

async function act(chatId, action, order) {
  const answer = await fetch(`/sim/chats/${chatId}/${action}`, { method: "POST", body: JSON.stringify(order) });
  said.textContent = answer.ok ? "" : await answer.text();
  return answer.ok ? answer.json() : null;
}

const later = (ms) => new Promise((go) => setTimeout(go, ms));

// What Telegram would show over the chat: the bot's answer to the pressed button.
async function showAnswer(query) {
  for (let look = 0; look < ANSWER_LOOKS; look += 1) {
    const { text } = await (await fetch(`/sim/answers/${query}`)).json();
    if (text !== null) {
      said.textContent = text;
      await later(READ_MS);
      if (said.textContent === text) said.textContent = "";
      return;
    }
    await later(LOOK_MS);
  }
}

// The open chat as [bot, chat]; without one, the first bot's first person.
async function here() {
  const [owner, chatId] = decodeURIComponent(location.hash.slice(1)).split(":").map(Number);
  if (chatId) return [owner || null, chatId];
  const sum = await (await fetch("/sim")).json();
  return [sum.bots[0] ?? null, FIRST_PERSON];
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = words.value.trim();
  if (!text) return;
  const [bot, chatId] = await here();
  if (!(await act(chatId, "say", { bot_id: bot, text }))) return;
  words.value = "";
  if (!location.hash && bot) location.hash = `${bot}:${chatId}`;
});

document.getElementById("messages").addEventListener("click", async (event) => {
  const key = event.target.closest("[data-press]");
  if (!key) return;
  const [bot, chatId] = await here();
  const pressed = await act(chatId, "press", { bot_id: bot, message_id: Number(key.dataset.message), data: key.dataset.press });
  if (pressed) await showAnswer(pressed.callback_query_id);
});
