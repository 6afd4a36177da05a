import { argon2id, argon2Verify } from "hash-wasm";

interface Question {
  readonly call: number;
  readonly password: string;
  readonly phc?: string;
}

// The lib has no type for the scope of a dedicated worker together with the DOM's.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Question>) => void;
  postMessage(message: unknown): void;
};

let last: Promise<unknown> = Promise.resolve();
scope.onmessage = ({ data }) => {
  last = last.then(() => answer(data)).then(
    (value) => scope.postMessage({ call: data.call, value }),
    (error) => scope.postMessage({ call: data.call, error: String(error) }),
  );
};

async function answer({ password, phc }: Question): Promise<string | boolean> {
  if (phc !== undefined) return await argon2Verify({ password, hash: phc });
  return await argon2id({
    password,
    salt: crypto.getRandomValues(new Uint8Array(16)),
    parallelism: 1,
    iterations: 2,
    memorySize: 19_456,
    hashLength: 32,
    outputType: "encoded",
  });
}
