import type { Picture } from "./camera.ts";

/** The page of all pictures, a screen under the other, each state in a row. Opens from the disk, asks for nothing. */
export function writeContactPage(pictures: readonly Picture[], faults: readonly string[]): string {
  const screens = Map.groupBy(pictures, ({ screen }) => screen);
  const body = [...screens].map(([screen, taken]) =>
    `<section id="${escape(screen)}">
<h2>${escape(screen)}</h2>
${[...Map.groupBy(taken, ({ state }) => state)].map(([state, row]) => writeRow(state, row)).join("\n")}
</section>`
  );
  const links = [...screens.keys()].map((screen) => `<a href="#${escape(screen)}">${escape(screen)}</a>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Seedloop, every screen</title>
<style>
:root { color-scheme: dark; font: 13px/1.5 Inter, system-ui, sans-serif; background: #17171a; color: #e8e8ea; }
body { margin: 0 auto; max-width: 2400px; padding: 24px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; position: sticky; top: 0; padding: 8px 0; background: #17171a; }
a { color: #5fd7f2; }
h2 { margin: 40px 0 8px; font-size: 20px; }
h3 { margin: 16px 0 8px; font-weight: 500; color: #a9a9b0; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 12px; align-items: start; }
figure { margin: 0; }
img { width: 100%; display: block; outline: 1px solid #36363c; }
figcaption { color: #a9a9b0; font-size: 11px; }
</style>
<h1>Seedloop, every screen</h1>
<p>${pictures.length} pictures of ${screens.size} screens.</p>
${
    faults.length > 0
      ? `<h3>What did not come about</h3><ul>${
        faults.map((each) => `<li>${escape(each)}</li>`).join("")
      }</ul>`
      : ""
  }
<nav>${links.join("")}</nav>
${body.join("\n")}
</html>
`;
}

function writeRow(state: string, row: readonly Picture[]): string {
  const figures = row.map(({ screen, file, theme, size }) =>
    `<figure><a href="${file}"><img loading="lazy" src="${file}" alt="${
      escape(`${screen}, ${state}, ${theme}`)
    }"></a>
<figcaption>${escape(theme)}, ${size}</figcaption></figure>`
  );
  return `<h3>${escape(state)}</h3>\n<div class="row">${figures.join("\n")}</div>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
