// One row of the list of chats, and what a chat is called and coloured.

import { clock, el } from "/words.js";

const HUES = 7;
export const hue = (id) => `hue-${Math.abs(id) % HUES}`;

export function initials(title) {
  const words = title.split(/\s+/).map((word) => word.match(/[\p{L}\p{N}]/u)?.[0]).filter(Boolean);
  return words.slice(0, 2).join("").toLocaleUpperCase() || "?";
}

function when(seconds) {
  const then = new Date(seconds * 1000);
  const today = new Date().toDateString() === then.toDateString();
  return today ? clock(seconds) : then.toLocaleDateString([], { day: "numeric", month: "short" });
}

export function chatRow(chat, { isOpen, unread }) {
  const button = el("button", "chat");
  button.type = "button";
  button.setAttribute("aria-current", String(isOpen));
  button.dataset.key = chat.key;
  const last = el("div", "last");
  if (chat.action) last.append(el("b", "", `${chat.action.replaceAll("_", " ")}…`));
  else {
    if (chat.preview_kind && chat.preview_kind !== "text") last.append(el("b", "", `${chat.preview_kind} `));
    last.append(chat.preview.replaceAll("\n", " "));
  }
  const tag = el("span", "tag", chat.blocked ? "blocked" : unread ? String(unread) : "");
  if (chat.blocked) tag.classList.add("bad");
  button.append(el("div", `avatar ${hue(chat.chat_id)}`, initials(chat.title)),
    el("div", "title", chat.title), el("div", "when", when(chat.active)), last, tag);
  const item = el("li");
  item.append(button);
  return item;
}
