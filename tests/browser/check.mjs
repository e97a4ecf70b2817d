// Opens every page of a report in a browser, as readers do, and looks for what they would stumble over.
//
//   CHROMIUM=/usr/bin/chromium node tests/browser/check.mjs RUN/report
//
// Each page is opened at desktop and phone width, in light and dark, with script on and off, and as it is printed.
// Ends with 0 where nothing is wrong, with 1 where something is, with 2 where it could not look.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const VIEWS = [
  { name: "desktop", width: 1280, height: 900 },
  { name: "phone", width: 390, height: 844 },
];
// A sheet of A4 less its margins, at 96 pixels an inch.
const SHEET = { width: 688, height: 1000 };

// Runs in the page: returns what is wrong, in words.
function look({ index, phone, print }) {
  const wrong = [];
  const short = (text) => {
    const one = text.replace(/\s+/g, " ").trim();
    return one.length > 50 ? `${one.slice(0, 50)}…` : one;
  };
  const name = (element) => {
    const id = element.id ? `#${element.id}` : "";
    const classes = typeof element.className === "string" && element.className ? `.${element.className.trim().split(/\s+/).join(".")}` : "";
    return `<${element.localName}${id}${classes}>`;
  };

  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    wrong.push(`the page scrolls sideways: it is ${root.scrollWidth} px wide in ${root.clientWidth} px`);
  }

  // Every piece of text that is seen, line by line.
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !parent || ["SCRIPT", "STYLE", "TITLE"].includes(parent.tagName)) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width > 0.5 && box.height > 0.5) lines.push({ node, parent, box });
    }
  }
  if (lines.length === 0) wrong.push("there is no text");

  const blockOf = (element) => {
    let block = element;
    while (block.parentElement && ["inline", "contents"].includes(getComputedStyle(block).display)) block = block.parentElement;
    return block;
  };
  const scrolls = (value) => value === "auto" || value === "scroll";
  for (const { node, parent, box } of lines) {
    const block = blockOf(parent);
    const frame = block.getBoundingClientRect();
    if (box.left < frame.left - 1.5 || box.right > frame.right + 1.5) {
      wrong.push(`"${short(node.data)}" sticks out of its ${name(block)}`);
    }
    for (let up = block; up && up !== document.body; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (scrolls(style.overflowX) || scrolls(style.overflowY)) break;
      if (["hidden", "clip"].includes(style.overflowX) || ["hidden", "clip"].includes(style.overflowY)) {
        const edge = up.getBoundingClientRect();
        if (box.right > edge.right + 1 || box.left < edge.left - 1 || box.bottom > edge.bottom + 1 || box.top < edge.top - 1) {
          wrong.push(`"${short(node.data)}" is cut off by ${name(up)}`);
        }
      }
    }
  }
  for (const element of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(element);
    const hides = ["hidden", "clip"].includes(style.overflowX) || style.textOverflow === "ellipsis";
    if (hides && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1 && element.textContent.trim()) {
      wrong.push(`the text of ${name(element)} is cut off: "${short(element.textContent)}"`);
    }
  }

  // Two texts overlap where the middles of their lines do: lines that only touch are no matter.
  const boxes = lines.map(({ node, box }) => ({
    node,
    left: box.left + 1,
    right: box.right - 1,
    top: box.top + box.height * 0.22,
    bottom: box.bottom - box.height * 0.22,
  })).sort((a, b) => a.top - b.top);
  for (let i = 0; i < boxes.length; i += 1) {
    for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom; j += 1) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.node !== b.node && a.left < b.right && b.left < a.right) {
        wrong.push(`"${short(a.node.data)}" and "${short(b.node.data)}" overlap`);
      }
    }
  }

  // Contrast, from the styles. What lies behind a text is what its ancestors paint.
  const colour = (text) => {
    const numbers = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
    return text.startsWith("rgb") ? [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1] : null;
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [bright, dark] = [light(a), light(b)].sort((x, y) => y - x);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    const layers = [];
    for (let up = element; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.backgroundImage !== "none") return null;
      const c = colour(style.backgroundColor);
      if (!c) return null;
      if (c[3] > 0) layers.push(c);
      if (c[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const judged = new Set();
  const judge = (element, style, what) => {
    let opacity = 1;
    for (let up = element; up; up = up.parentElement) opacity *= Number(getComputedStyle(up).opacity);
    const text = colour(style.color);
    const back = behind(element);
    if (!text || !back) {
      wrong.push(`the contrast of ${name(element)} cannot be told from its styles`);
      return;
    }
    const seen = over([text[0], text[1], text[2], text[3] * opacity], back);
    const key = `${seen} ${back}`;
    if (judged.has(key)) return;
    judged.add(key);
    const ratio = contrast(seen, back);
    if (ratio < 4.5) wrong.push(`${what} in ${name(element)} has a contrast of only ${ratio.toFixed(2)}:1`);
  };
  for (const { node, parent } of lines) judge(parent, getComputedStyle(parent), `"${short(node.data)}"`);
  for (const field of document.querySelectorAll("input[placeholder]")) {
    if (field.checkVisibility()) judge(field, getComputedStyle(field, "::placeholder"), "the placeholder");
  }

  for (const size of new Set(lines.map(({ parent }) => parseFloat(getComputedStyle(parent).fontSize)))) {
    if (!print && size < 14.9) wrong.push(`there is text of only ${size} px`);
  }

  // The verdict is the first thing said, and is seen without scrolling.
  const first = document.querySelector("h1, h2, h3, h4, h5, h6");
  if (!first || first.localName !== "h1" || !first.closest(".verdict")) {
    wrong.push("the first heading is not the verdict");
  } else {
    const said = first.textContent.trim();
    if (!said) wrong.push("the verdict is empty");
    if (index && !/^(Ready|Not ready|Could not judge)\b/.test(said)) wrong.push(`the verdict says neither ready nor not: "${short(said)}"`);
    if (!first.querySelector("svg.mark")) wrong.push("the verdict has no mark: colour alone tells it");
    const box = first.getBoundingClientRect();
    if (!print && (box.top < 0 || box.bottom > innerHeight)) wrong.push("the verdict is not seen without scrolling");
  }
  if (document.querySelectorAll("h1").length !== 1) wrong.push("there is more than one h1, or none");

  for (const table of document.querySelectorAll("table")) {
    const container = table.parentElement?.closest(".scroll");
    if (!container) {
      wrong.push(`a table stands in no scroll container: "${short(table.textContent)}"`);
      continue;
    }
    if (print) continue;
    if (!scrolls(getComputedStyle(container).overflowX)) wrong.push("the container of a table does not scroll");
    if (container.tabIndex !== 0) wrong.push("the container of a table cannot be reached by the keyboard");
    const cell = table.querySelector("tbody tr > :first-child");
    if (phone && cell && getComputedStyle(cell).position !== "sticky") wrong.push(`the first column of a table does not stay: "${short(table.textContent)}"`);
  }
  return [...new Set(wrong)];
}

// Runs in the page: what its tables hold, to compare script on with script off.
const tables = () => [...document.querySelectorAll("table")].map((table) => table.textContent.replace(/\s+/g, " ")).join("\n");

// Runs in the page: where its links lead, and the places it has.
const links = () => ({
  to: [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href")),
  ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
});

async function main() {
  const folder = process.argv[2] && resolve(process.argv[2]);
  const executablePath = process.env.CHROMIUM;
  if (!folder || !executablePath) {
    console.error("usage: CHROMIUM=path node check.mjs REPORT_FOLDER");
    return 2;
  }
  if (!existsSync(join(folder, "index.html"))) {
    console.error(`there is no index.html in ${folder}`);
    return 2;
  }
  const pages = readdirSync(folder).filter((file) => file.endsWith(".html")).sort();
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const wrong = [];
  const found = new Map();
  let looks = 0;
  try {
    for (const page of pages) {
      const address = pathToFileURL(join(folder, page)).href;
      const held = new Map();
      for (const view of VIEWS) {
        for (const scheme of ["light", "dark"]) {
          for (const script of [true, false]) {
            const context = await browser.newContext({
              viewport: { width: view.width, height: view.height },
              colorScheme: scheme,
              javaScriptEnabled: script,
            });
            const tab = await context.newPage();
            const where = `${page}, ${view.name}, ${scheme}, script ${script ? "on" : "off"}`;
            const note = (what) => wrong.push(`${where}: ${what}`);
            tab.on("request", (request) => {
              const url = request.url();
              if (url !== address && !url.startsWith("data:")) note(`it asks for ${url}`);
            });
            tab.on("console", (message) => {
              if (["error", "warning"].includes(message.type())) note(`the console says: ${message.text()}`);
            });
            tab.on("pageerror", (error) => note(`the script breaks off: ${error.message}`));
            await tab.goto(address, { waitUntil: "load" });
            const asked = { index: page === "index.html", phone: view.name === "phone", print: false };
            for (const what of await tab.evaluate(look, asked)) note(what);
            held.set(`${view.name} ${scheme} ${script}`, await tab.evaluate(tables));
            if (!found.has(page)) found.set(page, await tab.evaluate(links));
            looks += 1;
            if (script) {
              // The reader's own choice of the other theme.
              const button = tab.locator(".tools button", { hasText: scheme === "light" ? "Dark" : "Light" });
              if ((await button.count()) !== 1) note("there is no button for the other theme");
              else {
                await button.click();
                for (const what of await tab.evaluate(look, asked)) note(`after the theme's button: ${what}`);
                looks += 1;
              }
            }
            if (!script && view.name === "desktop") {
              await tab.setViewportSize(SHEET);
              await tab.emulateMedia({ media: "print" });
              for (const what of await tab.evaluate(look, { ...asked, print: true })) note(`printed: ${what}`);
              looks += 1;
            }
            await context.close();
          }
        }
      }
      if (new Set(held.values()).size !== 1) wrong.push(`${page}: its tables hold other text with script than without`);
    }
  } finally {
    await browser.close();
  }
  for (const [page, { to }] of found) {
    for (const target of new Set(to)) {
      const [file, place] = target.split("#");
      const name = file === "" ? page : decodeURIComponent(file);
      const there = found.get(name);
      if (!there || dirname(join(folder, name)) !== folder) wrong.push(`${page}: the link to ${target} leads to no page of the report`);
      else if (place && !there.ids.includes(decodeURIComponent(place))) wrong.push(`${page}: the link to ${target} leads to no place there`);
    }
    if (page !== "index.html" && !found.get("index.html")?.to.some((target) => decodeURIComponent(target.split("#")[0]) === page)) {
      wrong.push(`index.html: no link leads to ${page}`);
    }
  }
  for (const page of pages) {
    if (/https?:\/\/(?!www\.w3\.org)/.test(readFileSync(join(folder, page), "utf8").replace(/<(td|dd|li|th|span|bdi|code)\b[^>]*>[^<]*/g, ""))) {
      wrong.push(`${page}: an address of the network stands in its markup`);
    }
  }
  if (wrong.length > 0) {
    const most = 60;
    for (const what of wrong.slice(0, most)) console.error(what);
    if (wrong.length > most) console.error(`… and ${wrong.length - most} more`);
    console.error(`${wrong.length} problems in ${pages.length} pages, looked at ${looks} times.`);
    return 1;
  }
  console.log(`${pages.length} pages, looked at ${looks} times: nothing is wrong.`);
  return 0;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`the pages could not be looked at: ${error.message}`);
    process.exitCode = 2;
  }
}
