/**
 * Finds names by a few letters, on the main thread within a frame over 100,000 of them: every word of the query must
 * be in the name, as it stands or with its letters in order, and one slip of the finger is forgiven.
 */

/** Something that can be found. */
export interface Findable {
  readonly id: string;
  readonly name: string;
  /** Other words for it. */
  readonly keywords?: string;
}

export interface Match<Item extends Findable> {
  readonly item: Item;
  /** Higher is better; 1 is the very name. */
  readonly score: number;
  /** Which letters of the name were meant, as [from, to) pairs. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** Names made ready to be searched. */
export class FuzzyIndex<Item extends Findable> {
  readonly #items: readonly Item[];
  readonly #names: readonly string[];
  readonly #masks: Int32Array;
  #last: { readonly query: string; readonly candidates: Int32Array } | undefined;

  constructor(items: readonly Item[]) {
    this.#items = items;
    this.#names = items.map(({ name, keywords }) => fold(keywords ? `${name}\n${keywords}` : name));
    this.#masks = Int32Array.from(this.#names, maskOf);
  }

  get size(): number {
    return this.#items.length;
  }

  /** The best `limit` matches, best first; `boost` adds to an item's score, for what was used lately. */
  find(query: string, limit: number, boost?: (item: Item) => number): Match<Item>[] {
    const words = fold(query).split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) return [];
    const found = this.#rank(words, limit, boost, 0);
    // Only when nothing fits is a slip of the finger looked for.
    return found.length > 0 ? found : this.#rank(words, limit, boost, 1);
  }

  #rank(
    words: readonly string[],
    limit: number,
    boost: ((item: Item) => number) | undefined,
    slips: number,
  ): Match<Item>[] {
    const candidates = slips === 0 ? this.#candidates(words.join(" ")) : undefined;
    const count = candidates?.length ?? this.#items.length;
    const mask = words.reduce((all, word) => all | maskOf(word), 0);
    const best: { index: number; score: number }[] = [];
    const hits: number[] = [];
    let least = -Infinity;
    for (let at = 0; at < count; at++) {
      const index = candidates?.[at] ?? at;
      const name = this.#names[index] ?? "";
      const missing = mask & ~(this.#masks[index] ?? 0);
      if (slips === 0 ? missing !== 0 : countBits(missing) > slips * words.length) continue;
      let score = 0;
      for (const word of words) {
        const isOther = name.indexOf(word) > (this.#items[index]?.name.length ?? 0);
        // Another word for it is worth less than what it is called.
        const part = (slips === 0 ? scoreWord(name, word) : scoreSlip(name, word)) * (isOther ? 0.7 : 1);
        if (part <= 0) {
          score = 0;
          break;
        }
        score += part;
      }
      if (score <= 0) continue;
      hits.push(index);
      const item = this.#items[index]!;
      // Of two that fit alike the shorter one was meant.
      const total = score / words.length - Math.min(0.2, name.length / 400) + (boost?.(item) ?? 0);
      if (best.length >= limit && total <= least) continue;
      insert(best, { index, score: total }, limit);
      least = best.at(-1)?.score ?? -Infinity;
    }
    if (slips === 0) this.#last = { query: words.join(" "), candidates: Int32Array.from(hits) };
    // Beside a good match a far-fetched one is only in the way.
    const worth = (best[0]?.score ?? 0) - 0.45;
    return best.filter(({ score }) => score >= worth).map(({ index, score }) => {
      const item = this.#items[index]!;
      return { item, score, ranges: rangesOf(fold(item.name), words) };
    });
  }

  /** More letters at the end can only make fewer matches: those of the letters before are enough to look at. */
  #candidates(query: string): Int32Array | undefined {
    return this.#last && query.startsWith(this.#last.query) ? this.#last.candidates : undefined;
  }
}

function insert<T extends { readonly score: number }>(best: T[], one: T, limit: number): void {
  let at = best.length;
  while (at > 0 && (best[at - 1]?.score ?? 0) < one.score) at--;
  best.splice(at, 0, one);
  if (best.length > limit) best.pop();
}

/** Lower case, without accents: "Éclair" is found by "eclair". One letter stays one letter. */
export function fold(text: string): string {
  const low = text.toLowerCase();
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(low)) return low;
  return [...low].map((letter) => letter.normalize("NFD").charAt(0)).join("");
}

/** Which of 26 letters and ten digits a text has, in 32 bits: what lacks one can be left out at once. */
function maskOf(text: string): number {
  let mask = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 97 && code <= 122) mask |= 1 << (code - 97);
    else if (code >= 48 && code <= 57) mask |= 1 << (26 + (code - 48) % 5);
  }
  return mask;
}

function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

/** 1 for the whole name, then its beginning, a word's beginning, anywhere, and letters in order; 0 for none. */
function scoreWord(name: string, word: string): number {
  const at = name.indexOf(word);
  if (at === 0) return name.length === word.length ? 1 : 0.9;
  if (at > 0) {
    for (let from = at; from >= 0; from = name.indexOf(word, from + 1)) {
      if (isStart(name, from)) return 0.8;
    }
    return 0.6;
  }
  return word.length < 2 ? 0 : scoreInOrder(name, word);
}

/** Letters in order, better where they begin words ("cg" for "clip generate") or stand close. */
function scoreInOrder(name: string, word: string): number {
  let from = 0;
  let starts = 0;
  let first = -1;
  for (let at = 0; at < word.length; at++) {
    const letter = word.charAt(at);
    let found = name.indexOf(letter, from);
    if (found < 0) return 0;
    // A word's beginning is meant rather than the nearest letter.
    if (found !== from || at === 0) {
      for (let next = found; next >= 0 && next < found + 24; next = name.indexOf(letter, next + 1)) {
        if (!isStart(name, next)) continue;
        if (restFits(name, word, at + 1, next + 1)) found = next;
        break;
      }
    }
    if (isStart(name, found)) starts++;
    if (first < 0) first = found;
    from = found + 1;
  }
  const spread = from - first;
  if (starts < word.length && spread > word.length * 4) return 0;
  return 0.15 + 0.25 * (starts / word.length) + 0.15 * (word.length / spread);
}

function restFits(name: string, word: string, at: number, from: number): boolean {
  let next = from;
  for (let index = at; index < word.length; index++) {
    next = name.indexOf(word.charAt(index), next) + 1;
    if (next === 0) return false;
  }
  return true;
}

/** One letter wrong, missing, too many or two changed about, in the beginning of one of the name's words. */
function scoreSlip(name: string, word: string): number {
  if (name.includes(word)) return 0.6;
  if (word.length < 4) return 0;
  for (let at = 0; at < name.length; at++) {
    if (!isStart(name, at)) continue;
    const first = name.charCodeAt(at);
    if (
      first !== word.charCodeAt(0) && first !== word.charCodeAt(1) &&
      name.charCodeAt(at + 1) !== word.charCodeAt(0)
    ) {
      continue;
    }
    if (isOneSlip(name, at, word)) return 0.5;
  }
  return 0;
}

function isOneSlip(name: string, from: number, word: string): boolean {
  let same = 0;
  while (same < word.length && name.charCodeAt(from + same) === word.charCodeAt(same)) same++;
  const rest = (nameAt: number, wordAt: number) => name.startsWith(word.slice(wordAt), from + nameAt);
  return rest(same + 1, same + 1) || rest(same, same + 1) || rest(same + 1, same) ||
    (name.charCodeAt(from + same) === word.charCodeAt(same + 1) &&
      name.charCodeAt(from + same + 1) === word.charCodeAt(same) && rest(same + 2, same + 2));
}

function isStart(name: string, at: number): boolean {
  if (at === 0) return true;
  const before = name.charCodeAt(at - 1);
  // Anything but letters and digits ends a word.
  return !((before >= 97 && before <= 122) || (before >= 48 && before <= 57) || before > 127);
}

function rangesOf(name: string, words: readonly string[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const word of words) {
    const at = bestPlace(name, word);
    if (at >= 0) {
      ranges.push([at, at + word.length]);
      continue;
    }
    let from = 0;
    for (const letter of word) {
      const found = name.indexOf(letter, from);
      if (found < 0) break;
      ranges.push([found, found + 1]);
      from = found + 1;
    }
  }
  return merge(ranges);
}

function bestPlace(name: string, word: string): number {
  for (let at = name.indexOf(word); at >= 0; at = name.indexOf(word, at + 1)) {
    if (isStart(name, at)) return at;
  }
  return name.indexOf(word);
}

function merge(ranges: [number, number][]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
