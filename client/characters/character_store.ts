import { call } from "#client/core/call.ts";
import { live } from "#client/core/live.ts";
import { inNameOrder } from "#client/core/order.ts";
import { callPages, orGone, Store, storesBy } from "#client/core/store.ts";
import {
  changeCharacter,
  type Character,
  characterChanged,
  createCharacter,
  getCharacter,
  listCharacters,
} from "#server/characters/contract.ts";
import type { BodyInput } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import { seedChanged } from "#server/seeds/contract.ts";

/** The characters of one project by name, and what can be done with them. */
export class CharacterStore {
  readonly #store: Store<Character>;
  readonly #projectId: Character["projectId"];

  constructor(projectId: string) {
    // An id that the studio gave, out of an address.
    this.#projectId = projectId as Character["projectId"];
    this.#store = new Store<Character>({
      idOf: ({ id }) => id,
      list: () => callPages(listCharacters, { params: { projectId: this.#projectId } }),
      read: (id) => orGone(call(getCharacter, { params: { characterId: id as Character["id"] } })),
      topics: () => [`project:${projectId}`],
      concerns: readCharacterIds,
      keeps: ({ status }) => status !== "trashed",
      order: (one, other) => inNameOrder(one.name, other.name),
    }, live);
  }

  get all(): readonly Character[] {
    return this.#store.items;
  }

  get reading(): Pick<Store<Character>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  find(characterId: string): Character | undefined {
    return this.#store.find(characterId);
  }

  open(): () => void {
    return this.#store.open();
  }

  /** Registers a character. Throws ApiError. */
  async create(name: string): Promise<Character> {
    const character = await call(createCharacter, {
      params: { projectId: this.#projectId },
      body: { id: newId<"character">(), name },
    });
    this.#store.put(character);
    return character;
  }

  /** Shows the change at once and takes it back when the studio refuses. Throws ApiError. */
  async change(characterId: Character["id"], change: BodyInput<typeof changeCharacter>): Promise<void> {
    await this.#store.act(
      characterId,
      (character) => character && { ...character, ...change as Partial<Character> },
      () => call(changeCharacter, { params: { characterId }, body: change }),
    );
  }
}

/** The characters that an event tells of: their seeds change their picture and counts. */
export function readCharacterIds({ code, data }: LiveEvent): readonly string[] | undefined {
  const kind = code === characterChanged.code
    ? characterChanged
    : code === seedChanged.code
    ? seedChanged
    : undefined;
  const read = kind?.data.safeParse(data);
  return read?.success ? [read.data.characterId] : undefined;
}

/** The characters of a project; the same store for all who ask. */
export const charactersOf: (projectId: string) => CharacterStore = storesBy((projectId) =>
  new CharacterStore(projectId)
);
