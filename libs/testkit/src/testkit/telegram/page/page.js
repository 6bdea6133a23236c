// The live page: chats on the left, one chat as its person sees it on the right.

import { bubbleRow, pastStates } from "/bubble.js";
import { chatRow, hue, initials } from "/list.js";
import { failures, habits, joined, noteText, topicButtons } from "/marks.js";
import { el } from "/words.js";

const SHOWN_MESSAGES = 200;
const LISTED_CHATS = 500;
const POLL_MS = 1500;
const $ = (id) => document.getElementById(id);
const chats = new Map(); // key -> summary
const room = { key: null, messages: new Map(), notes: [], drawn: new Map(), opening: 0, following: true, top: 0, topic: null };
const unread = new Map();
let after = 0;
let live = false;
let listDue = false;
let roomDue = false;
let refetchDue = false;

// -- drawing the list ---------------------------------------------------------

const keyOf = (entry) => `${entry.owner}:${entry.chat_id}`;
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function drawList() {
  const sought = $("search").value.trim().toLocaleLowerCase();
  const found = [...chats.values()]
    .filter((chat) => !sought || `${chat.title} ${chat.chat_id} ${chat.preview}`.toLocaleLowerCase().includes(sought))
    .sort((one, other) => other.active - one.active);
  const rows = found.slice(0, LISTED_CHATS).map((chat) => chatRow(chat, { isOpen: chat.key === room.key, unread: unread.get(chat.key) }));
  if (found.length > LISTED_CHATS) rows.push(el("li", "none", `and ${found.length - LISTED_CHATS} more; search to find them`));
  if (!rows.length) rows.push(el("li", "none", sought ? "No chat matches" : "No messages yet"));
  const focused = document.activeElement?.dataset?.key;
  $("chats").replaceChildren(...rows);
  if (focused) $("chats").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// -- drawing the room ---------------------------------------------------------

function timeline() {
  const items = [];
  let album = null;
  const messages = [...room.messages.values()]
    .sort((one, other) => one.sent_at - other.sent_at || one.message_id - other.message_id)
    .filter((message) => room.topic === null || String(message.thread_id ?? "") === room.topic)
    .slice(-SHOWN_MESSAGES);
  for (const message of messages) {
    if (message.album && album && album.messages[0].album === message.album) {
      album.messages.push(message);
      continue;
    }
    const item = { at: message.sent_at, id: `m${message.message_id}`, messages: [message] };
    album = message.album ? item : null;
    items.push(item);
  }
  const first = items.length ? items[0].at : 0;
  for (const note of room.notes) {
    if (note.at >= first) items.push({ at: note.at, id: `n${note.seq}`, notes: [note] });
  }
  return joined(items.sort((one, other) => one.at - other.at));
}

function nodeOf(item) {
  const version = JSON.stringify(item.messages || item.notes);
  const known = room.drawn.get(item.id);
  if (known && known.version === version) return known.node;
  let node;
  if (item.notes) node = item.notes[0].event === "failed" ? failures(item.notes) : el("div", "note", noteText(item.notes[0]));
  else {
    node = bubbleRow(item.messages, room.messages.get(item.messages[0].reply_to));
    if (room.drawn.size) node.classList.add(known ? "changed" : "fresh");
  }
  room.drawn.set(item.id, { version, node });
  return node;
}

function drawTopics(chat) {
  const buttons = chat ? topicButtons(chat, room.topic) : [];
  const focused = document.activeElement?.dataset?.topic;
  $("topics").hidden = !buttons.length;
  $("topics").replaceChildren(...buttons);
  if (focused) $("topics").querySelector(`[data-topic="${CSS.escape(focused)}"]`)?.focus();
}

function drawRoom() {
  const chat = chats.get(room.key);
  $("empty").hidden = Boolean(chat);
  $("empty-text").textContent = !chats.size ? "No chats yet. Write /start below to open one"
    : room.key ? "Nothing here yet. Write /start below" : "Select a chat to see what its person sees";
  $("room-bar").hidden = !chat;
  // Without any chat there is a room too: that is where the first one begins.
  document.body.classList.toggle("in-room", Boolean(room.key) || !chats.size);
  document.body.classList.toggle("blocked", Boolean(chat?.blocked));
  drawTopics(chat);
  if (!chat) return void $("messages").replaceChildren();
  $("room-title").textContent = chat.title;
  $("room-avatar").textContent = initials(chat.title);
  $("room-avatar").className = `avatar small ${hue(chat.chat_id)}`;
  const shown = room.messages.size;
  $("room-state").textContent = chat.action ? `bot: ${chat.action.replaceAll("_", " ")}…`
    : [chat.kind, `id ${chat.chat_id}`, counted(shown, "message"), ...habits(chat)].join(" · ");
  $("block").hidden = chat.kind !== "private";
  $("block").textContent = chat.blocked ? "Unblock" : "Block";
  const nodes = [];
  let day = "";
  for (const item of timeline()) {
    const date = new Date(item.at * 1000).toLocaleDateString([], { day: "numeric", month: "long" });
    if (date !== day) nodes.push(el("div", "note day", (day = date)));
    nodes.push(nodeOf(item));
  }
  place($("messages"), nodes);
}

// Moves only what changed, so that a playing video plays on.
function place(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  nodes.forEach((node, at) => {
    if (parent.childNodes[at] !== node) parent.insertBefore(node, parent.childNodes[at] || null);
  });
}

let drawing = 0;
function draw() {
  drawing ||= setTimeout(() => {
    drawing = 0;
    if (listDue) drawList();
    if (roomDue) drawRoom();
    listDue = roomDue = false;
  }, 120);
}

// -- facts ----------------------------------------------------------------------

async function fetchJson(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function loadChats() {
  const found = await fetchJson("/sim/chats");
  const wasUnknown = room.key !== null && !chats.has(room.key); // it may have been opened just now
  for (const chat of found) chats.set(chat.key, chat);
  listDue = roomDue = true;
  draw();
  // A room opened before its chat was listed has only what happened since.
  if (wasUnknown && chats.has(room.key)) await openRoom(room.key);
}

async function openRoom(key) {
  const opening = ++room.opening;
  Object.assign(room, { key, messages: new Map(), notes: [], drawn: new Map(), following: true, top: 0, topic: null });
  unread.delete(key);
  listDue = true;
  if (chats.has(key)) {
    const [owner, chatId] = key.split(":");
    const found = await fetchJson(`/sim/chats/${chatId}?limit=${SHOWN_MESSAGES}${owner === "0" ? "" : `&bot=${owner}`}`);
    if (opening !== room.opening) return;
    for (const message of found.messages) {
      // Live events may have outrun this answer; the newer version of a message stays.
      const known = room.messages.get(message.message_id);
      if (!known || known.edits <= message.edits) room.messages.set(message.message_id, message);
    }
    const seen = new Set(room.notes.map((note) => note.seq));
    room.notes.push(...found.notes.filter((note) => !seen.has(note.seq)));
  }
  roomDue = true;
  draw();
}

function apply(entry) {
  if (entry.seq <= after) return; // a stream that reconnects may tell a thing twice
  after = entry.seq;
  const key = keyOf(entry);
  const chat = chats.get(key);
  listDue = true;
  if (!chat) refetchDue = true;
  else summarise(chat, entry);
  if (key !== room.key) {
    if (entry.event === "sent" && chat) unread.set(key, (unread.get(key) || 0) + 1);
    return;
  }
  roomDue = true;
  if (entry.event === "deleted" || entry.event === "user_deleted") room.messages.delete(entry.message_id);
  else if (entry.message) room.messages.set(entry.message_id, entry.message);
  if (noteText(entry) && !room.notes.some((note) => note.seq === entry.seq)) room.notes.push(entry);
}

function summarise(chat, entry) {
  chat.active = Math.max(chat.active, entry.at);
  if (entry.event === "action") chat.action = entry.note;
  if (entry.event === "sent") chat.action = "";
  if (["sent", "edited", "user_said"].includes(entry.event)) {
    chat.preview = entry.message.text.slice(0, 120);
    chat.preview_kind = entry.message.kind;
  }
  if (entry.event === "blocked") chat.blocked = true;
  if (entry.event === "unblocked") chat.blocked = false;
}

function take(entries) {
  entries.forEach(apply);
  if (refetchDue) {
    refetchDue = false;
    loadChats().catch(report);
  }
  draw();
}

function report(error) {
  console.warn(error);
}

// -- staying current --------------------------------------------------------------

function follow() {
  const stream = new EventSource(`/sim/events?after=${after}`);
  stream.onopen = () => state("live");
  stream.onmessage = (event) => take(JSON.parse(event.data));
  stream.onerror = () => {
    live = false; // the poll takes over, and says whether anybody answers
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, POLL_MS);
  };
}

// Where events do not come through (a proxy that buffers), asking again does.
async function poll() {
  if (!live) {
    try {
      take((await fetchJson(`/sim/log?after=${after}`)).entries);
      if (!live) state("poll");
    } catch (error) {
      state("lost");
    }
  }
  setTimeout(poll, POLL_MS);
}

function state(name) {
  live = name === "live";
  $("dot").className = `dot ${name}`;
  $("dot").title = { live: "live", poll: "polling", lost: "no connection" }[name];
}

async function facts() {
  const seen = after;
  try {
    const sum = await fetchJson("/sim");
    if (sum.last_seq < seen) location.reload(); // a sandbox that was started anew
    const faults = Object.values(sum.faults_fired).reduce((one, other) => one + other, 0);
    $("facts-text").textContent = [counted(sum.chats, "chat"), counted(sum.last_seq, "event"), counted(sum.calls, "call"), counted(faults, "fault")].join(" · ");
  } catch (error) {
    $("facts-text").textContent = "no connection";
  }
  setTimeout(facts, 2000);
}

// -- hands ------------------------------------------------------------------------

const byHash = () => openRoom(decodeURIComponent(location.hash.slice(1)) || null).catch(report);
$("chats").addEventListener("click", (event) => {
  const key = event.target.closest(".chat")?.dataset.key;
  if (key) location.hash = key;
});
$("search").addEventListener("input", () => { listDue = true; draw(); });
$("back").addEventListener("click", () => { location.hash = ""; });
$("down").addEventListener("click", () => { $("scroll").scrollTo({ top: $("scroll").scrollHeight, behavior: "smooth" }); });
$("scroll").addEventListener("scroll", () => {
  const scroll = $("scroll");
  const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  // Only a person scrolls up; a picture that loads makes the room longer below.
  if (below < 80) room.following = true;
  else if (scroll.scrollTop < room.top) room.following = false;
  room.top = scroll.scrollTop;
  $("down").hidden = below < 200;
}, { passive: true });
// Pictures grow as they load; whoever reads the newest message keeps reading it.
new ResizeObserver(() => {
  if (!room.following) return;
  $("scroll").scrollTop = $("scroll").scrollHeight;
  $("down").hidden = true;
}).observe($("messages"));
addEventListener("hashchange", byHash);
$("topics").addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-topic]")?.dataset.topic;
  if (chosen === undefined) return;
  room.topic = chosen === "all" ? null : chosen;
  roomDue = true;
  draw();
});
$("messages").addEventListener("click", (event) => {
  const jump = event.target.closest("[data-jump]");
  const past = event.target.closest("[data-history]");
  if (jump) document.getElementById(`message-${jump.dataset.jump}`)?.scrollIntoView({ block: "center", behavior: "smooth" });
  if (past) unfold(past).catch(report);
});

async function unfold(button) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  const line = button.closest(".meta");
  if (open) return void line.nextElementSibling?.remove();
  const chatId = room.key.split(":")[1];
  const owner = button.dataset.owner === "0" ? "" : `&bot=${button.dataset.owner}`;
  line.after(pastStates(await fetchJson(`/sim/chats/${chatId}/history?message=${button.dataset.history}${owner}`)));
}

function paint(theme) {
  document.documentElement.dataset.theme = theme;
}
const asked = new URLSearchParams(location.search).get("theme");
paint(asked || localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
$("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  paint(theme);
});

async function start() {
  const sum = await fetchJson("/sim");
  after = sum.last_seq; // what happened before is in the summaries
  await loadChats();
  await byHash();
  follow();
  setTimeout(poll, POLL_MS);
  facts();
}
start().catch((error) => {
  state("lost");
  report(error);
  setTimeout(() => location.reload(), 2000);
});
