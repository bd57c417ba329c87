// Make elements. Text is always set as text, never as markup, so nothing that is shown can run.

/** Make an element: make("p.note", {id: "x"}, "text", child, …); what is null or false is left out. */
export function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Words with `code` in them, and paragraphs where there is an empty line. */
export function words(text, kind = "p") {
  return (text || "").split(/\n{2,}/).filter(Boolean).map((part) => make(kind, {}, ...spans(part)));
}

/** The same within a line. */
export function spans(text) {
  return (text || "").split(/(`[^`]+`)/).map((part) =>
    part.startsWith("`") && part.length > 2 ? make("code", {}, part.slice(1, -1)) : part);
}

/** A button that copies what `text()` gives. */
export function copier(text) {
  const button = make("button.quiet", {type: "button", onclick: async () => {
    button.textContent = await isCopied(text()) ? "Copied" : "Not allowed here: mark it and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  }}, "Copy");
  return button;
}

/** Whether the browser took it: without https it offers no clipboard but to pages of this machine. */
async function isCopied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** JSON in colours. */
export function coloured(text) {
  const pre = make("pre.json");
  let last = 0;
  for (const found of text.matchAll(TOKEN)) {
    pre.append(text.slice(last, found.index));
    const kind = found[2] ? "name" : found[1] ? "text" : found[3] ? "word" : "number";
    pre.append(make(`span.${kind}`, {}, found[1] || found[0]), found[2] || "");
    last = found.index + found[0].length;
  }
  pre.append(text.slice(last));
  return pre;
}
