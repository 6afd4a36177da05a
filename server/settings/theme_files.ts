const FOLDER = new URL(import.meta.resolve("#client/design/"));

/** One theme as it is written: the token files that make it, to be laid over each other in this order. */
export interface ThemeFiles {
  /** "dark", "contrast-light": what `data-theme` says in the browser. */
  readonly name: string;
  readonly scheme: "dark" | "light";
  readonly isHighContrast: boolean;
  readonly files: readonly unknown[];
}

/** The part of the Design Tokens Resolver Module 2025.10 that tokens.resolver.json uses. */
interface Resolver {
  readonly sets: Readonly<Record<string, { readonly sources: readonly Reference[] }>>;
  readonly modifiers: {
    readonly theme: {
      readonly default: string;
      readonly contexts: Readonly<Record<string, readonly Reference[]>>;
    };
  };
}

interface Reference {
  readonly $ref: string;
}

interface TokenFile {
  readonly $extensions?: {
    readonly seedloop?: { readonly scheme?: "dark" | "light"; readonly contrast?: "high" };
  };
}

/** The themes that Seedloop comes with, the default one first. They are the client's: it is served from there. */
export async function readThemeFiles(): Promise<readonly ThemeFiles[]> {
  const { sets, modifiers } = await readJson<Resolver>("tokens.resolver.json");
  const { contexts, default: first } = modifiers.theme;
  const shared = await readAll(Object.values(sets).flatMap(({ sources }) => sources));
  const names = Object.keys(contexts).sort((one, other) => Number(other === first) - Number(one === first));
  return await Promise.all(names.map(async (name) => {
    const files = [...shared, ...await readAll(contexts[name] ?? [])];
    const about = files.map((file) => file.$extensions?.seedloop).findLast(Boolean);
    return {
      name,
      scheme: about?.scheme ?? "dark",
      isHighContrast: about?.contrast === "high",
      files,
    };
  }));
}

async function readAll(references: readonly Reference[]): Promise<TokenFile[]> {
  return await Promise.all(references.map(({ $ref }) => readJson<TokenFile>($ref)));
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(name, FOLDER)));
}
