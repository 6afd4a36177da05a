import { assert } from "@std/assert/assert.js";
import { assertEquals } from "@std/assert/equals.js";
import { CAMERA_MOVES, type CameraMove, moveFromPrompt, type PathRequest, planPath } from "./camera_path.ts";

const ROOM = { top: 0.05, right: 0.05, bottom: 0.05, left: 0.05 };

function given(change: Partial<PathRequest> = {}): PathRequest {
  return {
    ...{ move: "auto", seconds: 3.4, seed: 1, amount: 1, room: ROOM, closed: false },
    face: { x: 0.4, y: 0.2, width: 0.2, height: 0.28 },
    ...change,
  };
}

Deno.test("planPath starts at rest in every respect", () => {
  for (const move of CAMERA_MOVES) {
    const { zoom, panX, panY, slideX, slideY, roll, breath } = planPath(given({ move }))(0);
    for (const value of [zoom, panX, panY, slideX, slideY, roll, breath]) {
      assert(Math.abs(value) < 1e-12, move);
    }
  }
});

Deno.test("planPath goes where it was told and says so in every picture's own terms", () => {
  const face = { x: 0.4, y: 0.32, width: 0.2, height: 0.28 };
  const end = (move: CameraMove) => planPath(given({ move, face }))(3.4);
  assert(end("push_in").zoom > 0.04 && end("pull_out").zoom < -0.03);
  assert(end("pan_left").panX > 0.03 && end("pan_right").panX < -0.03);
  assert(end("tilt_up").panY > 0.02 && end("tilt_down").panY < -0.02);
});

Deno.test("planPath comes back to where it began when it is closed", () => {
  const end = planPath(given({ closed: true, move: "push_in" }))(3.4);
  for (const value of [end.zoom, end.panX, end.panY, end.slideX, end.slideY, end.roll, end.breath]) {
    assert(Math.abs(value) < 1e-9);
  }
});

Deno.test("planPath keeps a face in the frame however long the chain", () => {
  for (const move of CAMERA_MOVES) {
    let face = { x: 0.4, y: 0.2, width: 0.2, height: 0.28 };
    for (let hop = 0; hop < 40; hop++) {
      const { zoom, panX, panY } = planPath(given({ move, seed: hop, face }))(3);
      const size = Math.exp(zoom);
      const x = face.x + face.width / 2 + panX;
      const y = face.y + face.height * 0.4 + panY;
      const [width, height] = [face.width * size, face.height * size];
      face = { x: x - width / 2, y: y - height * 0.4, width, height };
      assert(x > 0.25 && x < 0.75 && y > 0.22 && y < 0.62, `${move} hop ${hop}: face at ${x}, ${y}`);
      assert(height > 0.11 && height < 0.66, `${move} hop ${hop}: face ${height} tall`);
    }
  }
});

Deno.test("moveFromPrompt reads camera words in plain English", () => {
  const cases: [string, CameraMove | undefined][] = [
    ["slow push in on her face", "push_in"],
    ["the camera pulls back to reveal the room", "pull_out"],
    ["pan slowly to the left", "pan_left"],
    ["camera tracking right", "pan_right"],
    ["crane up over the city", "tilt_up"],
    ["handheld, nervous", "handheld"],
    ["the camera orbits around her", "orbit"],
    ["static shot", "still"],
    ["a woman in an orange suit", undefined],
    ["", undefined],
  ];
  for (const [prompt, move] of cases) assertEquals(moveFromPrompt(prompt), move, prompt);
});
