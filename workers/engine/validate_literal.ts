import { coerce, CoercionError } from "./coerce.ts";
import type { GraphNode, ResolvedInput } from "./graph.ts";
import { isRecord } from "./json_text.ts";
import { pythonFloat, pythonRepr, pythonText } from "./python_text.ts";
import type { Reason } from "./validate.ts";

/** `[type, options]`, as errors show an input. */
export type InputConfig = readonly [ResolvedInput["type"], ResolvedInput["options"]];

/**
 * Coerces the literal of an input in place and says what is wrong with it, if anything. Inputs that the node
 * judges itself are only coerced.
 */
export function judgeLiteral(node: GraphNode, name: string, config: InputConfig): Reason | undefined {
  const [type, options] = config;
  const given = node.inputs[name];
  const literal = isRecord(given) && "__value__" in given ? given["__value__"] : given;
  let value: unknown;
  try {
    value = coerce(type, literal);
  } catch (error) {
    if (!(error instanceof CoercionError)) throw error;
    return {
      type: "invalid_input_type",
      message: `Failed to convert an input value to a ${type} value`,
      details: `${name}, ${pythonText(literal)}, ${error.message}`,
      extra_info: {
        input_name: name,
        input_config: config,
        received_value: literal,
        exception_message: error.message,
      },
    };
  }
  node.inputs[name] = value;
  if (node.spec.validates?.includes(name)) return undefined;
  return judgeRange(name, value, config) ?? judgeMembership(name, value, type, options, config);
}

function judgeRange(name: string, value: unknown, config: InputConfig): Reason | undefined {
  const [type, { min, max }] = config;
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const show = (number: number | bigint) =>
    type === "FLOAT" && typeof number === "number" ? pythonFloat(number) : String(number);
  const extra_info = { input_name: name, input_config: config, received_value: value };
  if (min !== undefined && value < min) {
    return {
      type: "value_smaller_than_min",
      message: `Value ${show(value)} smaller than min of ${show(min)}`,
      details: name,
      extra_info,
    };
  }
  if (max !== undefined && value > max) {
    return {
      type: "value_bigger_than_max",
      message: `Value ${show(value)} bigger than max of ${show(max)}`,
      details: name,
      extra_info,
    };
  }
  return undefined;
}

function judgeMembership(
  name: string,
  value: unknown,
  type: string | readonly string[],
  options: ResolvedInput["options"],
  config: InputConfig,
): Reason | undefined {
  const list = typeof type === "string" ? (type === "COMBO" ? options.options : undefined) : type;
  if (!list || list.some((option) => option === value)) return undefined;
  // Long lists (folders full of files) are not sent back whole.
  const long = list.length > 20;
  return {
    type: "value_not_in_list",
    message: "Value not in list",
    details: `${name}: '${pythonText(value)}' not in ${
      long ? `(list of length ${list.length})` : pythonRepr(list)
    }`,
    extra_info: { input_name: name, input_config: long ? null : config, received_value: value },
  };
}
