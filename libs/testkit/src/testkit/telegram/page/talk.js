// The person's hands: writes into the open chat and presses the buttons under messages.

import { el } from "/words.js";

const FIRST_PERSON = 1; // who writes when no chat is open yet
const ANSWER_LOOKS = 40, LOOK_MS = 250, READ_MS = 6000; // how long an answer is waited for, and stands
const room = document.getElementById("room");
const form = el("form", "talk");
const words = el("input");
Object.assign(words, { type: "text", placeholder: "Write as this person", autocomplete: "off" });
words.setAttribute("aria-label", "Message to the bot");
const send = el("button", "", "Send");
send.type = "submit";
const said = el("output", "said");
form.append(words, send);
document.getElementById("scroll").before(said);
room.append(form);

function say(text) {
  said.replaceChildren(...(text ? [el("span", "", text)] : []));
}

async function act(chatId, action, order) {
  say("");
  try {
    const answer = await fetch(`/sim/chats/${chatId}/${action}`, { method: "POST", body: JSON.stringify(order) });
    if (answer.ok) return await answer.json();
    showFor((await answer.json()).error);
  } catch (error) {
    showFor("No connection");
  }
  return null;
}

const later = (ms) => new Promise((go) => setTimeout(go, ms));

// What Telegram would show over the chat: the bot's answer to the pressed button.
async function showAnswer(query) {
  for (let look = 0; look < ANSWER_LOOKS; look += 1) {
    const { text } = await (await fetch(`/sim/answers/${query}`)).json();
    if (text !== null) return showFor(text);
    await later(LOOK_MS);
  }
  return showFor("The bot has not answered. Is it running?");
}

async function showFor(text) {
  say(text);
  const shown = said.firstChild;
  await later(READ_MS);
  if (said.firstChild === shown) say("");
}

// The open chat as [bot, chat]; without one, the first bot's first person.
async function here() {
  const [owner, chatId] = decodeURIComponent(location.hash.slice(1)).split(":").map(Number);
  if (chatId) return [owner || null, chatId];
  const sum = await (await fetch("/sim")).json();
  return [sum.bots[0] ?? null, FIRST_PERSON];
}

// Whoever looks at one topic of a forum writes into it.
const openTopic = () => Number(document.querySelector('#topics [aria-pressed="true"]')?.dataset.topic) || 0;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = words.value.trim();
  if (!text) return;
  const [bot, chatId] = await here();
  if (!(await act(chatId, "say", { bot_id: bot, text, thread_id: openTopic() }))) return;
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

document.getElementById("block").addEventListener("click", async () => {
  const [bot, chatId] = await here();
  await act(chatId, document.body.classList.contains("blocked") ? "unblock" : "block", { bot_id: bot });
});
