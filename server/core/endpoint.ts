import * as z from "zod/mini";
import type { Permission } from "./permissions.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";

/** Who may call: a permission, any signed-in user, or anyone at all. */
export type Gate = Permission | "signed_in" | "anyone";

type Schema = z.core.$ZodType;
type Output<S> = S extends Schema ? z.output<S> : undefined;
type Input<S> = S extends Schema ? z.input<S> : undefined;

/** What an endpoint declares. Everything else (parsing, gate, OpenAPI, typed call, policy test) follows. */
export interface EndpointSpec<
  P extends Schema | undefined = Schema | undefined,
  Q extends Schema | undefined = Schema | undefined,
  B extends Schema | undefined = Schema | undefined,
  R extends Schema | undefined = Schema | undefined,
> {
  readonly method: Method;
  /** Under `/api`, in Hono's form: "/clips/:clipId/takes". */
  readonly path: string;
  readonly can: Gate;
  /** One line for OpenAPI and the API page. */
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly reply?: R;
  /** Success status; 200 with a reply, 204 without, unless said. */
  readonly status?: 200 | 201 | 202 | 204;
  /** Media type of a reply or body that is not JSON; then the handler returns a Response itself. */
  readonly raw?: { readonly reply?: string; readonly body?: string };
  /** Statuses that a protocol other than ours asks for, beyond the common list, and what each means. */
  readonly otherStatuses?: Readonly<Record<number, string>>;
}

export interface Endpoint<
  P extends Schema | undefined = Schema | undefined,
  Q extends Schema | undefined = Schema | undefined,
  B extends Schema | undefined = Schema | undefined,
  R extends Schema | undefined = Schema | undefined,
> extends EndpointSpec<P, Q, B, R> {
  readonly kind: "endpoint";
}

/** Declares an endpoint: the one place where its shapes and its permission are written. */
export function endpoint<
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
  R extends Schema | undefined = undefined,
>(spec: EndpointSpec<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return { ...spec, kind: "endpoint" };
}

// deno-lint-ignore no-explicit-any -- an endpoint of any shape; the shapes are recovered by the helpers below
export type AnyEndpoint = Endpoint<any, any, any, any>;
// By inference from the type arguments: the properties are optional, so reading them would add undefined.
type PartsOf<E> = E extends Endpoint<infer P, infer Q, infer B, infer R>
  ? { params: P; query: Q; body: B; reply: R }
  : never;
export type Params<E extends AnyEndpoint> = Output<PartsOf<E>["params"]>;
export type Query<E extends AnyEndpoint> = Output<PartsOf<E>["query"]>;
export type Body<E extends AnyEndpoint> = Output<PartsOf<E>["body"]>;
export type Reply<E extends AnyEndpoint> = Output<PartsOf<E>["reply"]>;
export type BodyInput<E extends AnyEndpoint> = Input<PartsOf<E>["body"]>;
export type QueryInput<E extends AnyEndpoint> = Input<PartsOf<E>["query"]>;
export type ReplyInput<E extends AnyEndpoint> = Input<PartsOf<E>["reply"]>;
