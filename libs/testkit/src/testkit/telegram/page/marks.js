// What happens in a chat besides messages: notes, failed calls, topics, the chat's habits.

import { clock, el } from "/words.js";

// The log keeps methods in lower case, as the server reads them.
const METHOD_WORDS = /(?<=.)(message|media|text|caption|reply|markup|photo|video|audio|voice|document|animation|group|rich|chat|action|reaction|callback|query)/g;
const spelled = (method) => method.replace(METHOD_WORDS, (word) => word[0].toUpperCase() + word.slice(1));

export function noteText(entry) {
  const number = entry.message_id ? `#${entry.message_id}` : "";
  return {
    deleted: `Message ${number} deleted by the bot`,
    user_deleted: `Message ${number} deleted by the user`,
    blocked: "The user blocked the bot",
    unblocked: "The user unblocked the bot",
    migrated: `Upgraded to supergroup ${entry.note}`,
    failed: `${spelled(entry.method)}: ${entry.note.replace("429_n", "429 too many requests").replaceAll("_", " ")}`,
  }[entry.event];
}

// One failed call is a small mark; a row of them opens on demand.
export function failures(notes) {
  if (notes.length === 1) return el("div", "note failed", noteText(notes[0]));
  const box = el("details", "note failed");
  const lines = el("ul");
  lines.append(...notes.map((note) => el("li", "", `${clock(note.at)} ${noteText(note)}`)));
  box.append(el("summary", "", `${notes.length} calls did not end well`), lines);
  return box;
}

// Failed calls that follow one another become one mark.
export function joined(items) {
  const kept = [];
  for (const item of items) {
    const last = kept.at(-1);
    const alike = item.notes?.[0].event === "failed" && last?.notes?.[0].event === "failed";
    if (alike) last.notes.push(...item.notes);
    else kept.push(item);
  }
  return kept;
}

export function habits(chat) {
  const found = [];
  if (chat.blocked) found.push("blocked");
  if (chat.slow_seconds) found.push(`slow mode ${chat.slow_seconds} s`);
  if (chat.forbidden.length) found.push(`no ${chat.forbidden.join(", ")}`);
  return found;
}

// The buttons that choose a topic; null is all of them, an empty name the general one.
export function topicButtons(chat, chosen) {
  const topics = Object.entries(chat.topics);
  const choice = (value, name) => {
    const button = el("button", "", name);
    button.type = "button";
    button.dataset.topic = value ?? "all";
    button.setAttribute("aria-pressed", String(chosen === value));
    return button;
  };
  const named = topics.map(([number, state]) => choice(number, `Topic ${number}${state === "open" ? "" : ` (${state})`}`));
  return topics.length ? [choice(null, "All"), choice("", "General"), ...named] : [];
}
