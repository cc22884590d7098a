/* Answers that begin.js has asked for while the app was on its way, by address. Each serves once, and only a page that is young. */
const YOUNG_MS = 20000;

const shelf = () => globalThis.linnetBegun;

/* `answer`: promise of what exchange() (http.js) gives; one that fails is asked for again by whoever wants it. */
export function lay(path, answer) {
  globalThis.linnetBegun ??= new Map();
  shelf().set(path, answer.catch(() => undefined));
  return answer;
}

/* Promise of the answer, or undefined. */
export function begun(path) {
  const answer = shelf()?.get(path);
  shelf()?.delete(path);
  return performance.now() < YOUNG_MS ? answer : undefined;
}
