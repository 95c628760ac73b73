"use strict";
// Elements and texts. Names come from users' files, so they are only ever set as text.

// Make an element: attributes, then children (elements or texts; null is left out).
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null));
  return element;
}

const readable = name => name.replaceAll("_", " ");

// Plotly reads some tags in its texts; a name is no markup.
const plain = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const MINUS = "−";
const missing = value => value === null || value === undefined || Number.isNaN(value);

function fixed(value, digits = 2) {
  if (missing(value)) return "–";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

// Three digits that count, whatever the size.
function significant(value) {
  if (missing(value)) return "–";
  const size = Math.abs(value);
  let text = size.toPrecision(3);
  if (value === 0) text = "0";
  else if (size >= 1000 && size < 1e6) text = whole(Math.round(size));
  return (value < 0 ? MINUS : "") + text.replace("e-", "e" + MINUS).replace("e+", "e");
}

const whole = value => value.toLocaleString("en-GB");

const plural = (n, one, many = one + "s") => `${whole(n)} ${n === 1 ? one : many}`;

// The clipboard of a page inside a report may be barred; the old way then still works.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "off-screen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function saveText(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function toCsv(rows) {
  const quote = cell => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map(row => row.map(cell => quote(String(cell ?? ""))).join(",")).join("\n") + "\n";
}

// A button that says for a moment that it is done.
function actionButton(text, done, action) {
  const button = make("button", { type: "button", class: "action" }, text);
  button.addEventListener("click", async () => {
    const worked = await action();
    button.textContent = worked === false ? "Not allowed here" : done;
    setTimeout(() => { button.textContent = text; }, 1600);
  });
  return button;
}
