// Words as a reader sees them. Everything a stranger wrote enters the page as text, never as markup.

export const SAFE_LINK = /^(https?|tg|mailto):/i;
const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
  subscript: "sub", superscript: "sup", marked: "mark", mathematical_expression: "code",
};
const ICONS = {
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500a2.200 2.200 0 0 0 4 0",
  mute: "M6 16V11a6 6 0 0 1 9-5.200M18 11v5l1.500 2H8M10 20.500a2.200 2.200 0 0 0 4 0M4 4l16 16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  note: "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z",
  voice: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
};

export function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export function icon(name) {
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

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const step = count < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
  return `${(count / step[0]).toFixed(count < step[0] * 10 ? 1 : 0)} ${step[1]}`;
}

export function link(href, className) {
  const node = el("a", className);
  node.href = href;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

// Entities are sorted and nested; offsets are UTF-16 units, as in JavaScript strings.
export function styled(text, entities) {
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
    const target = entity.url || text.slice(entity.offset, entity.offset + entity.length);
    const node = wordNode(entity.type, target);
    if (!node) continue;
    open.at(-1).node.append(node);
    open.push({ node, end: Math.min(entity.offset + entity.length, open.at(-1).end) });
  }
  upTo(text.length);
  return root;
}

// A RichText: a string, a list of them, or an object around another.
export function richWords(rich) {
  const root = document.createDocumentFragment();
  if (typeof rich === "string") root.append(rich);
  else if (Array.isArray(rich)) rich.forEach((one) => root.append(richWords(one)));
  else if (rich && typeof rich === "object") {
    const inside = richWords(rich.text ?? rich.expression ?? rich.alternative_text ?? "");
    const node = wordNode(rich.type, rich.url || "");
    if (node) node.append(inside);
    root.append(node || inside);
  }
  return root;
}

function wordNode(type, target) {
  if (type === "spoiler") {
    const hidden = el("span", "spoiler");
    hidden.tabIndex = 0;
    hidden.setAttribute("role", "note");
    hidden.setAttribute("aria-label", "hidden text, focus to show");
    return hidden;
  }
  if (type === "text_link" || type === "url") return SAFE_LINK.test(target) ? link(target, "") : el("span");
  return Object.hasOwn(TAGS, type ?? "") ? el(TAGS[type]) : null;
}
