/* Whether all that was written on this device has been sent. Says nothing while there is nothing to say. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { Icon } from './icon.jsx';

/* PouchDB and what sends come after the first page: until then there is no state. */
function useSync() {
  const [module, setModule] = useState(null);
  const [, draw] = useState(0);
  useEffect(() => { import('../store/sync.js').then(setModule); }, []);
  useEffect(() => module?.sync.watch(() => draw((n) => n + 1)), [module]);
  return module?.sync.value;
}

export function SyncState() {
  const state = useSync();
  const refused = Object.keys(state?.refused || {}).length;
  if (!state || (state.pending === 0 && refused === 0)) return null;
  const text = refused ? t('sync.refused', { n: refused }) : t(state.state === 'sending' ? 'sync.sending' : 'sync.pending', { n: state.pending });
  return (
    <a class={`sync ${refused ? 'refused' : state.state}`} href="#/mine" role="status">
      <Icon name={refused ? 'warning' : state.state === 'sending' ? 'cloud' : 'cloudOff'} size={18} /><span>{text}</span>
    </a>
  );
}
