import * as tf from "@tensorflow/tfjs-core";

/** Side of the aligned crop that the net reads, in pixels. */
export const DLIB_CROP = 150;
/** What is taken from red, green and blue, and by what the rest is multiplied, before the net. */
export const DLIB_MEAN = [122.782, 117.001, 104.298] as const;
export const DLIB_GAIN = 1 / 256;

type Weights = Record<string, tf.Tensor>;

/** dlib's face recognition ResNet: one normalised 150×150 crop → 128 numbers. Frees all but its answer. */
export async function runDlibNet(weights: Weights, crop: Float32Array): Promise<Float32Array> {
  const output = tf.tidy(() => {
    let x: tf.Tensor4D = tf.tensor4d(crop, [1, DLIB_CROP, DLIB_CROP, 3]);
    x = convolve(weights, x, "conv32_down", 2, true, "valid");
    x = tf.maxPool(x, 3, 2, "valid");
    for (const block of ["conv32_1", "conv32_2", "conv32_3"]) x = residual(weights, x, block);
    x = shrinking(weights, x, "conv64_down");
    for (const block of ["conv64_1", "conv64_2", "conv64_3"]) x = residual(weights, x, block);
    x = shrinking(weights, x, "conv128_down");
    for (const block of ["conv128_1", "conv128_2"]) x = residual(weights, x, block);
    x = shrinking(weights, x, "conv256_down");
    for (const block of ["conv256_1", "conv256_2"]) x = residual(weights, x, block);
    x = shrinking(weights, x, "conv256_down_out");
    return tf.matMul(tf.mean(x, [1, 2]) as tf.Tensor2D, tensor(weights, "fc") as tf.Tensor2D);
  });
  try {
    return Float32Array.from(await output.data());
  } finally {
    output.dispose();
  }
}

function tensor(weights: Weights, name: string): tf.Tensor {
  const found = weights[name];
  if (!found) {
    throw new Error(`The face recognition weights lack "${name}": run "deno install" to fetch them again`);
  }
  return found;
}

function convolve(
  weights: Weights,
  x: tf.Tensor4D,
  name: string,
  stride: number,
  relu: boolean,
  pad: "same" | "valid" = "same",
): tf.Tensor4D {
  const filters = tensor(weights, `${name}/conv/filters`) as tf.Tensor4D;
  let y: tf.Tensor4D = tf.conv2d(x, filters, [stride, stride], pad);
  y = tf.add(y, tensor(weights, `${name}/conv/bias`));
  y = tf.add(tf.mul(y, tensor(weights, `${name}/scale/weights`)), tensor(weights, `${name}/scale/biases`));
  return relu ? tf.relu(y) : y;
}

function residual(weights: Weights, x: tf.Tensor4D, name: string): tf.Tensor4D {
  const inner = convolve(weights, x, `${name}/conv1`, 1, true);
  return tf.relu(tf.add(convolve(weights, inner, `${name}/conv2`, 1, false), x));
}

function shrinking(weights: Weights, x: tf.Tensor4D, name: string): tf.Tensor4D {
  let y = convolve(
    weights,
    convolve(weights, x, `${name}/conv1`, 2, true, "valid"),
    `${name}/conv2`,
    1,
    false,
  );
  let pooled: tf.Tensor4D = tf.avgPool(x, 2, 2, "valid");
  const [count, rows, columns, channels] = y.shape;
  // The shortcut is padded with zeros on whichever side came out smaller, as dlib does it.
  if (pooled.shape[1] !== rows || pooled.shape[2] !== columns) {
    y = tf.concat([y, tf.zeros<tf.Rank.R4>([count, 1, columns, channels])], 1);
    y = tf.concat([y, tf.zeros<tf.Rank.R4>([count, y.shape[1], 1, channels])], 2);
  }
  const missing = channels - pooled.shape[3];
  if (missing > 0) {
    pooled = tf.concat(
      [pooled, tf.zeros<tf.Rank.R4>([count, pooled.shape[1], pooled.shape[2], missing])],
      3,
    );
  }
  return tf.relu(tf.add(pooled, y));
}
