/* A value that tells who watches it. The whole of the app's shared state is a handful of these. */
import { useEffect, useState } from 'preact/hooks';

export class Cell {
  constructor(value) {
    this.value = value;
    this.watchers = new Set();
  }

  set(value) {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const watcher of [...this.watchers]) watcher(value);
  }

  /* Returns the function that ends it. */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}

/* The value of a cell in a component, drawn again when it changes. */
export function useCell(cell) {
  const [, draw] = useState(0);
  useEffect(() => cell.watch(() => draw((n) => n + 1)), [cell]);
  return cell.value;
}

/* What `load` (async, given an AbortSignal) returns: { value, error, loading, reload }. Loaded again when `inputs` change;
 * meanwhile the old value stays, so that a page never flickers. `first`: a value that is here already. What `load` tells its second
 * argument is shown until it returns. */
export function useLoaded(load, inputs, first) {
  const [state, setState] = useState({ value: first, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setState((old) => ({ ...old, loading: true }));
    let answered = false;
    const told = (value) => answered || controller.signal.aborted || setState({ value, loading: true });
    load(controller.signal, told).finally(() => { answered = true; }).then(
      (value) => controller.signal.aborted || setState({ value, loading: false }),
      (error) => controller.signal.aborted || setState((old) => ({ value: old.value, error, loading: false })),
    );
    return () => controller.abort();
  }, [...inputs, turn]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}
