// Draws one message, or the messages of one album, as their reader sees them.

import { medium, richBody } from "/media.js";
import { SAFE_LINK, clock, el, icon, link, styled } from "/words.js";

function marked(name, className, words) {
  const mark = el("span", `mark ${className}`);
  mark.append(icon(name), words);
  return mark;
}

function meta(message) {
  const line = el("div", "meta");
  if (message.fault) {
    const tag = el("span", "fault", message.fault.replaceAll("_", " "));
    tag.title = "the fault this commit went through";
    line.append(tag);
  }
  if (message.thread_id) line.append(el("span", "topic", `topic ${message.thread_id}`));
  if (message.protected) line.append(marked("lock", "", "protected"));
  if (!message.from_user) line.append(marked(message.notify ? "bell" : "mute", message.notify ? "rings" : "", message.notify ? "rang" : "silent"));
  line.append(el("span", "", `#${message.message_id}`));
  if (message.edits) {
    const times = message.edits > 1 ? ` ×${message.edits}` : "";
    const button = el("button", "edits", `edited${times} ${clock(message.edited_at)}`);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.title = "What it said before";
    Object.assign(button.dataset, { history: message.message_id, owner: message.owner });
    line.append(button);
  }
  line.append(el("span", "", clock(message.sent_at)));
  return line;
}

function keys(message) {
  const rows = (message.markup || {}).inline_keyboard;
  if (!Array.isArray(rows) || !rows.length) return null;
  const box = el("div", "keys");
  for (const row of rows) {
    const line = el("div");
    line.append(...row.map((button) => keyNode(button, message)));
    box.append(line);
  }
  return box;
}

function keyNode(button, message) {
  const linked = button.url && SAFE_LINK.test(button.url);
  const key = linked ? link(button.url, "key") : el("button", "key");
  key.textContent = button.text + (linked ? " ↗" : "");
  key.title = button.callback_data || button.url || "";
  if (!linked) key.type = "button";
  if (button.callback_data) Object.assign(key.dataset, { press: button.callback_data, message: message.message_id });
  else if (!linked) key.disabled = true;
  return key;
}

function quote(first, replied) {
  const box = el("button", "reply", replied ? replied.text || replied.kind : `message #${first.reply_to}`);
  box.type = "button";
  box.setAttribute("aria-label", `In reply to: ${box.textContent}`);
  box.dataset.jump = first.reply_to;
  return box;
}

function album(messages) {
  const visual = ["photo", "video"].includes(messages[0].kind);
  const box = el("div", visual ? "album" : "album list");
  box.append(...messages.flatMap((one) => one.parts.map(medium)));
  return box;
}

function content(messages) {
  if (messages.length > 1) return [album(messages)];
  const [message] = messages;
  return message.kind === "rich" ? [richBody(message)] : message.parts.map(medium);
}

export function bubbleRow(messages, replied) {
  const first = messages[0];
  const row = el("div", `row ${first.from_user ? "mine" : ""}`);
  row.id = `message-${first.message_id}`;
  const bubble = el("div", "bubble");
  if (first.reply_to) bubble.append(quote(first, replied));
  bubble.append(...content(messages));
  for (const one of messages) {
    if (!one.text || one.kind === "rich") continue;
    const body = el("div", "body");
    body.append(styled(one.text, one.entities || []));
    bubble.append(body);
  }
  for (const one of messages) if (one.reaction) bubble.append(el("span", "reaction", one.reaction));
  // Every item of an album is a message of its own, with its own number, edits and faults.
  const told = messages.filter((one, at) => at === messages.length - 1 || one.edits || one.fault);
  bubble.append(...told.map(meta));
  row.append(bubble);
  const keyboard = keys(first);
  if (keyboard) row.append(keyboard);
  return row;
}

// What a message showed before, oldest first.
export function pastStates(states) {
  const list = el("ol", "past");
  for (const state of states) {
    const item = el("li");
    item.append(el("span", "when", clock(state.edited_at || state.sent_at)));
    for (const part of state.parts) item.append(el("span", "what", `${part.kind} ${part.file_name}`));
    if (state.text) item.append(el("span", "", state.text));
    if (state.fault) item.append(el("span", "fault", state.fault.replaceAll("_", " ")));
    list.append(item);
  }
  return list;
}
