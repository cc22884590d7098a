/* One short message at a time, with perhaps one thing to do about it. */
import { Cell, useCell } from '../state.js';
import { Button } from './bits.jsx';

const message = new Cell(null);
let timer;

export function say(text, { action, run, lasts = 7000 } = {}) {
  clearTimeout(timer);
  message.set({ text, action, run });
  timer = setTimeout(() => message.set(null), lasts);
}

export const hush = () => message.set(null);

export function Toast() {
  const shown = useCell(message);
  return (
    <div class="toast-place" role="status" aria-live="polite">
      {shown && (
        <div class="toast">
          <span>{shown.text}</span>
          {shown.action && <Button kind="link" onClick={() => { hush(); shown.run(); }}>{shown.action}</Button>}
        </div>
      )}
    </div>
  );
}
