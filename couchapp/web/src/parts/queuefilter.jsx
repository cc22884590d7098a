/* Which queue: what needs review, where votes differ, where mine would settle it; by taxon, flora, place, observer; pictures sent twice. */
import { t } from '../i18n/index.js';
import { go } from '../router.js';
import { me } from '../store/session.js';
import { useFloras } from '../store/floras.js';
import { settings } from '../settings.js';
import { Near } from './near.jsx';
import { TaxonSearch } from './taxonsearch.jsx';

const QUEUES = ['review', 'settle', 'disputed', 'taxon', 'flora', 'place', 'observer', 'duplicates'];
const to = (by, value) => go(`/review?by=${by}${value ? `&value=${encodeURIComponent(value)}` : ''}`);

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
      {wish.by === 'place' && <Near value={wish.value} open={!wish.value} pick={(value) => to('place', value)} />}
      {wish.by === 'taxon' && <TaxonSearch id="queue-taxon" flora={flora} choose={(taxon) => to('taxon', taxon)} />}
      {wish.by === 'observer' && (
        <input aria-label={t('observer')} value={wish.value} onChange={({ target }) => to('observer', target.value.trim())} />
      )}
    </div>
  );
}
