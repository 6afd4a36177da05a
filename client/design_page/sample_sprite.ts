import type { Sprite } from "#client/ui/scrub.ts";

const COLUMNS = 4;
const ROWS = 3;
const WIDTH = 160;
const HEIGHT = 90;

/** A made-up film strip in the theme's own colours: a disc that crosses the picture, twelve times. */
export async function drawSprite(): Promise<{ readonly picture: string; readonly sprite: Sprite }> {
  const colours = getComputedStyle(document.documentElement);
  const ground = colours.getPropertyValue("--color-hover");
  const disc = colours.getPropertyValue("--color-text-quiet");
  const draw = (columns: number, rows: number) => {
    const canvas = new OffscreenCanvas(columns * WIDTH, rows * HEIGHT);
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    for (let at = 0; at < columns * rows; at++) {
      const x = at % columns * WIDTH;
      const y = Math.floor(at / columns) * HEIGHT;
      context.fillStyle = ground;
      context.fillRect(x, y, WIDTH, HEIGHT);
      context.fillStyle = disc;
      context.beginPath();
      context.arc(x + WIDTH * (at + 1) / (columns * rows + 1), y + HEIGHT / 2, HEIGHT / 5, 0, 2 * Math.PI);
      context.fill();
    }
    return canvas;
  };
  const [picture, src] = await Promise.all(
    [draw(1, 1), draw(COLUMNS, ROWS)].map(async (canvas) =>
      URL.createObjectURL(await canvas.convertToBlob())
    ),
  );
  return {
    picture: picture ?? "",
    sprite: { src: src ?? "", columns: COLUMNS, rows: ROWS, count: COLUMNS * ROWS, ratio: WIDTH / HEIGHT },
  };
}
