/* Which queue: what needs review, where votes differ, where mine would settle it; by taxon, flora, place, observer; pictures sent twice. */
import { useState } from 'preact/hooks';
import { place, t } from '../i18n/index.js';
import { devicePlace } from '../place/place.js';
import { go } from '../router.js';
import { me } from '../store/session.js';
import { useFloras } from '../store/floras.js';
import { settings } from '../settings.js';
import { Button } from './bits.jsx';
import { MapPicker } from './mappicker.jsx';
import { TaxonSearch } from './taxonsearch.jsx';
import { say } from './toast.jsx';

const QUEUES = ['review', 'settle', 'disputed', 'taxon', 'flora', 'place', 'observer', 'duplicates'];
const to = (by, value) => go(`/review?by=${by}${value ? `&value=${encodeURIComponent(value)}` : ''}`);

/* A place: where one is, or on the map. */
function Near({ value }) {
  const [open, setOpen] = useState(!value), [latitude, longitude] = value.split(',').map(Number);
  const pick = (north, east) => { setOpen(false); to('place', `${north.toFixed(1)},${east.toFixed(1)}`); };
  const device = () => devicePlace().then((at) => pick(at.latitude, at.longitude), (error) => say(t(error.message)));
  return (
    <div class="near">
      <div class="row">
        {value && <span>{place(latitude, longitude)}</span>}
        <Button icon="pin" onClick={device}>{t('place.device')}</Button>
        <Button icon="explore" aria-expanded={open} onClick={() => setOpen(!open)}>{t('place.onmap')}</Button>
      </div>
      {open && <MapPicker place={value ? { latitude, longitude } : null} pick={pick} />}
    </div>
  );
}

export function QueueFilter({ wish }) {
  const floras = useFloras(), flora = settings.value.flora || floras[0]?.id;
  const first = { flora: flora || '', observer: me.value.uid, taxon: '' };
  return (
    <div class="queue-filter">
      <label class="visually-hidden" for="queue">{t('queue')}</label>
      <select id="queue" value={wish.by} onChange={({ target }) => to(target.value, first[target.value])}>
        {QUEUES.map((name) => <option key={name} value={name}>{t(`queue.${name}`)}</option>)}
      </select>
      {wish.by === 'flora' && (
        <select aria-label={t('flora')} value={wish.value} onChange={({ target }) => to('flora', target.value)}>
          {floras.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
        </select>
      )}
      {wish.by === 'place' && <Near value={wish.value} />}
      {wish.by === 'taxon' && <TaxonSearch id="queue-taxon" flora={flora} choose={(taxon) => to('taxon', taxon)} />}
      {wish.by === 'observer' && (
        <input aria-label={t('observer')} value={wish.value} onChange={({ target }) => to('observer', target.value.trim())} />
      )}
    </div>
  );
}
