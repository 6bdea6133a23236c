// Pictures, films, sounds, files, and rich messages of many of them.

import { bytes, el, icon, link, richWords } from "/words.js";

const WRITTEN_SHOWN = 400; // characters of a text document shown in place
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

const named = (part) => part.file_name || part.kind;

export function medium(part) {
  const source = `/media/${part.digest}`;
  if (part.kind === "photo" || (part.kind === "animation" && part.mime.startsWith("image/"))) return picture(part, source);
  if (["video", "animation"].includes(part.kind) && part.mime.startsWith("video/")) return film(part, source);
  if (part.kind === "audio" || part.kind === "voice") return sound(part, source);
  return fileCard(part, source);
}

function picture(part, source) {
  const box = link(source, "media");
  const image = el("img");
  image.loading = "lazy";
  fit(box, part.width, part.height);
  image.alt = `${part.kind}: ${named(part)}`;
  if (part.width) image.width = part.width;
  if (part.height) image.height = part.height;
  image.addEventListener("error", () => box.replaceChildren(gone(part)));
  image.src = source;
  box.append(image);
  if (part.kind === "animation") box.append(el("span", "badge", "GIF"));
  return box;
}

// What is higher than wide stands without bars at its sides.
function fit(box, width, height) {
  box.classList.toggle("tall", height > width);
  box.style.setProperty("--ratio", width / height);
}

function film(part, source) {
  const box = el("div", "media");
  const video = el("video");
  video.preload = "metadata";
  video.playsInline = true;
  video.setAttribute("aria-label", `${part.kind}: ${named(part)}`);
  const loops = part.kind === "animation";
  if (loops) Object.assign(video, { loop: true, muted: true, autoplay: !CALM.matches });
  video.controls = !loops || CALM.matches;
  box.append(video);
  if (loops) box.append(el("span", "badge", "GIF"));
  video.addEventListener("error", () => box.replaceChildren(gone(part)));
  video.addEventListener("loadedmetadata", () => fit(box, video.videoWidth, video.videoHeight));
  video.src = source;
  return box;
}

function sound(part, source) {
  const box = el("div", `sound ${part.kind}`);
  const audio = el("audio");
  audio.controls = true;
  audio.preload = "metadata"; // else it says 0:00 of 0:00, like a sound that is empty
  audio.setAttribute("aria-label", `${part.kind}: ${named(part)}`);
  audio.src = source;
  box.append(fileCard(part, source), audio);
  return box;
}

function gone(part) {
  const box = el("div", "gone");
  box.append(icon("file"), el("span", "", `${part.kind} · ${named(part)}`), el("span", "", "no preview of these bytes"));
  return box;
}

function fileCard(part, source) {
  const card = link(source, "file");
  if (part.kind === "document") card.download = part.file_name || "";
  const disc = el("span", "disc");
  disc.append(icon({ audio: "note", voice: "voice" }[part.kind] || "file"));
  const words = el("span", "facts");
  words.append(el("span", "name", part.kind === "voice" ? "Voice message" : named(part)),
    el("span", "type", `${bytes(part.size)} · ${part.mime || "unknown type"}`));
  card.append(disc, words);
  if (!part.written) return card;
  const box = el("div");
  box.append(card, el("pre", "written", part.written.slice(0, WRITTEN_SHOWN) + (part.written.length > WRITTEN_SHOWN ? "…" : "")));
  return box;
}

// -- rich messages ----------------------------------------------------------------

export function richBody(message) {
  const box = el("div", "rich");
  box.append(...message.blocks.map((block) => blockNode(block, message.parts)));
  return box;
}

function captioned(node, caption, className) {
  const figure = el("figure", className);
  figure.append(node);
  if (caption) {
    const words = el("figcaption");
    words.append(richWords(caption.text));
    if (caption.credit) words.append(" ", richWords(caption.credit));
    figure.append(words);
  }
  return figure;
}

function within(tag, className, blocks, parts) {
  const node = el(tag, className);
  node.append(...(blocks || []).map((block) => blockNode(block, parts)));
  return node;
}

const filled = (tag, className, words) => {
  const node = el(tag, className);
  node.append(richWords(words));
  return node;
};

const BLOCKS = {
  collage: (block, parts) => captioned(within("div", "album", block.blocks, parts), block.caption),
  slideshow: (block, parts) => {
    const strip = within("div", "slides", block.blocks, parts);
    strip.tabIndex = 0;
    strip.setAttribute("role", "group");
    strip.setAttribute("aria-label", `slideshow of ${block.blocks.length}`);
    return captioned(strip, block.caption);
  },
  heading: (block) => filled(`h${Math.min(6, (Number(block.size) || 1) + 2)}`, "", block.text),
  paragraph: (block) => filled("p", "", block.text),
  footer: (block) => filled("p", "quiet", block.text),
  thinking: (block) => filled("p", "quiet", block.text),
  pre: (block) => filled("pre", "", block.text),
  divider: () => el("hr"),
  blockquote: (block, parts) => within("blockquote", "", block.blocks, parts),
  pullquote: (block) => filled("blockquote", "", block.text),
  expandable_blockquote: (block) => filled("blockquote", "", block.text),
  mathematical_expression: (block) => el("code", "", block.expression),
  details: (block, parts) => {
    const node = within("details", "", block.blocks, parts);
    node.open = block.is_open === true;
    node.prepend(filled("summary", "", block.summary));
    return node;
  },
  list: (block, parts) => {
    const numbered = block.items.some((item) => item.type || item.value);
    const list = el(numbered ? "ol" : "ul");
    list.append(...block.items.map((item) => within("li", "", item.blocks, parts)));
    return list;
  },
  table: (block) => {
    const table = el("table");
    for (const row of block.cells || []) {
      const line = el("tr");
      line.append(...row.map((cell) => filled(cell.is_header ? "th" : "td", "", cell.text || "")));
      table.append(line);
    }
    return table;
  },
};

function blockNode(block, parts) {
  if (Number.isInteger(block.part)) return captioned(medium(parts[block.part]), block.caption);
  const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : null;
  return draw ? draw(block, parts) : el("p", "quiet", `[${block.type}]`);
}
