/* Small things that every page has. */
import { useEffect, useRef } from 'preact/hooks';
import { percent, t } from '../i18n/index.js';
import { HttpError } from '../store/http.js';
import { Icon } from './icon.jsx';

export function Button({ kind = '', icon, children, class: extra = '', ...rest }) {
  return (
    <button type="button" class={`button ${kind} ${extra}`} {...rest}>
      {icon && <Icon name={icon} size={18} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/* A score from 0 to 1: its bar and its figure. */
export function Score({ value, label }) {
  return (
    <span class="score" role="img" aria-label={label || percent(value)}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="score-track" width="100" height="6" rx="3" />
        <rect class="score-fill" width={Math.max(2, value * 100)} height="6" rx="3" />
      </svg>
      <span class="figure" aria-hidden="true">{percent(value)}</span>
    </span>
  );
}

const STATES = { here: 'cloudOff', sent: 'clock', identified: 'leaf', valid: 'check', refused: 'warning' };

export function StateBadge({ state }) {
  return <span class={`badge state-${state}`}><Icon name={STATES[state]} size={14} />{t(`state.${state}`)}</span>;
}

export function Failure({ error, again }) {
  const text = error instanceof HttpError && error.offline ? t('error.offline') : t('error.reading', { reason: error.message });
  return (
    <div class="notice" role="alert">
      <Icon name="warning" /><p>{text}</p>
      {again && <Button onClick={again}>{t('again')}</Button>}
    </div>
  );
}

export function Empty({ icon = 'leaf', title, children }) {
  return (
    <div class="empty">
      <Icon name={icon} size={44} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export const Waiting = () => <div class="waiting" role="status"><span class="visually-hidden">{t('loading')}</span></div>;

/* A dialog of the browser's own: it keeps the focus within and gives it back. */
export function Dialog({ title, close, children, wide }) {
  const box = useRef();
  useEffect(() => {
    box.current.showModal();
    return () => box.current?.close();
  }, []);
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel={close}
      onClick={(event) => event.target === box.current && close()}>
      <header>
        <h2 id="dialog-title">{title}</h2>
        <Button kind="plain" icon="close" aria-label={t('close')} onClick={close} />
      </header>
      {children}
    </dialog>
  );
}
