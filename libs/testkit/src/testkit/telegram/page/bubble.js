// Draws one message. Everything a stranger wrote enters the page as text, never as markup.

const SAFE_LINK = /^(https?|tg|mailto):/i;
const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const ICONS = {
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500a2.200 2.200 0 0 0 4 0",
  mute: "M6 16V11a6 6 0 0 1 9-5.200M18 11v5l1.500 2H8M10 20.500a2.200 2.200 0 0 0 4 0M4 4l16 16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
};

export function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

// Entities are sorted and nested; offsets are UTF-16 units, as in JavaScript strings.
function styled(text, entities) {
  const root = document.createDocumentFragment();
  const open = [{ node: root, end: text.length }];
  let at = 0;
  const upTo = (limit) => {
    while (open.length > 1 && open.at(-1).end <= limit) {
      const top = open.pop();
      top.node.append(text.slice(at, top.end));
      at = Math.max(at, top.end);
    }
    if (limit > at) {
      open.at(-1).node.append(text.slice(at, limit));
      at = limit;
    }
  };
  for (const entity of entities) {
    upTo(entity.offset);
    const node = entityNode(entity, text);
    if (!node) continue;
    open.at(-1).node.append(node);
    open.push({ node, end: Math.min(entity.offset + entity.length, open.at(-1).end) });
  }
  upTo(text.length);
  return root;
}

function entityNode(entity, text) {
  if (entity.type === "spoiler") {
    const hidden = el("span", "spoiler");
    hidden.tabIndex = 0;
    return hidden;
  }
  if (entity.type === "text_link" || entity.type === "url") {
    const target = entity.url || text.slice(entity.offset, entity.offset + entity.length);
    return SAFE_LINK.test(target) ? link(target, "") : el("span");
  }
  return TAGS[entity.type] ? el(TAGS[entity.type]) : null;
}

function link(href, className) {
  const node = el("a", className);
  node.href = href;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

function medium(message) {
  const source = `/media/${message.digest}`;
  const mime = message.mime || "";
  if (message.kind === "photo" || (message.kind === "animation" && mime.startsWith("image/"))) {
    return picture(message, source);
  }
  if (["video", "animation"].includes(message.kind) && mime.startsWith("video/")) {
    return film(message, source);
  }
  if (message.kind === "audio" || message.kind === "voice") {
    const box = el("div");
    box.append(fileCard(message, source), player(source));
    return box;
  }
  return fileCard(message, source);
}

function picture(message, source) {
  const box = el("a", "media");
  box.href = source;
  box.target = "_blank";
  const image = el("img");
  image.loading = "lazy";
  image.alt = message.file_name || "photo";
  if (message.width) image.width = message.width;
  if (message.height) image.height = message.height;
  image.addEventListener("error", () => box.replaceChildren(gone(message)));
  image.src = source;
  box.append(image);
  if (message.kind === "animation") box.append(el("span", "badge", "GIF"));
  return box;
}

function film(message, source) {
  const box = el("div", "media");
  const video = el("video");
  video.preload = "metadata";
  video.playsInline = true;
  if (message.kind === "animation") {
    Object.assign(video, { autoplay: true, loop: true, muted: true });
    box.append(video, el("span", "badge", "GIF"));
  } else {
    video.controls = true;
    box.append(video);
  }
  video.addEventListener("error", () => box.replaceChildren(gone(message)));
  video.src = source;
  return box;
}

function player(source) {
  const audio = el("audio");
  audio.controls = true;
  audio.preload = "none";
  audio.src = source;
  return audio;
}

function gone(message) {
  const box = el("div", "gone");
  box.append(icon("file"), el("span", "", `${message.kind} · ${message.file_name || "no name"}`),
    el("span", "", "no preview of these bytes"));
  return box;
}

function fileCard(message, source) {
  const box = link(source, "file");
  const disc = el("span", "disc");
  disc.append(icon("file"));
  const words = el("span");
  words.append(el("div", "name", message.file_name || message.kind),
    el("div", "type", `${message.kind} · ${message.mime || "unknown type"}`));
  box.append(disc, words);
  return box;
}

function meta(message) {
  const line = el("div", "meta");
  if (message.fault) {
    const tag = el("span", "fault", message.fault.replaceAll("_", " "));
    tag.title = "the fault this commit went through";
    line.append(tag);
  }
  if (!message.from_user) {
    const bell = el("span", `bell ${message.notify ? "rings" : ""}`);
    bell.append(icon(message.notify ? "bell" : "mute"), message.notify ? "rang" : "silent");
    line.append(bell);
  }
  line.append(el("span", "", `#${message.message_id}`));
  if (message.edits) {
    const times = message.edits > 1 ? ` ×${message.edits}` : "";
    line.append(el("span", "", `edited${times} ${clock(message.edited_at)}`));
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
    for (const button of row) {
      const linked = button.url && SAFE_LINK.test(button.url);
      const key = linked ? link(button.url, "key") : el("span", "key");
      key.textContent = button.text + (linked ? " ↗" : "");
      key.title = button.callback_data || button.url || "";
      line.append(key);
    }
    box.append(line);
  }
  return box;
}

// One bubble for one message, or for the messages of one album.
export function bubbleRow(messages, replied) {
  const first = messages[0];
  const row = el("div", `row ${first.from_user ? "mine" : ""}`);
  const bubble = el("div", "bubble");
  if (replied) bubble.append(el("div", "reply", replied.text || replied.kind));
  const media = messages.filter((one) => one.digest).map(medium);
  if (messages.length > 1) {
    const visual = ["photo", "video"].includes(first.kind);
    const album = el("div", visual ? "album" : "album list");
    album.append(...media);
    bubble.append(album);
  } else {
    bubble.append(...media);
  }
  for (const one of messages) {
    if (!one.text) continue;
    const body = el("div", "body");
    body.append(styled(one.text, one.entities || []));
    bubble.append(body);
  }
  for (const one of messages) if (one.reaction) bubble.append(el("span", "reaction", one.reaction));
  bubble.append(meta(messages.at(-1)));
  row.append(bubble);
  const keyboard = keys(first);
  if (keyboard) row.append(keyboard);
  return row;
}
