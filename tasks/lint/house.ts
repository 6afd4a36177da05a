/** The house rules as a Deno lint plugin. */
const house: Deno.lint.Plugin = { name: "house", rules: {} };
export default house;
