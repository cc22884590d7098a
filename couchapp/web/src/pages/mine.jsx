/* My observations, newest first, each with what has become of it; those that are only here first of all. */
import { useEffect } from 'preact/hooks';
import { day, t } from '../i18n/index.js';
import { Button, Empty, Failure, StateBadge, Waiting } from '../parts/bits.jsx';
import { Icon } from '../parts/icon.jsx';
import { Picture } from '../parts/picture.jsx';
import { TaxonName } from '../parts/taxon.jsx';
import { link } from '../router.js';
import { useCell, useLoaded } from '../state.js';
import { follow } from '../store/live.js';
import { timeOf } from '../store/ids.js';
import { readRange } from '../store/mine.js';
import { readWhole, stateOf, view } from '../store/observations.js';
import { changes } from '../store/news.js';
import { me } from '../store/session.js';
import { pendingIds, send, sendAgain, sync } from '../store/sync.js';

const ROWS = 60;
const last = '\ufff0';

/* ULIDs of mine: those on this device and those in the store. */
async function mineIds(uid) {
  const here = (await readRange('', last)).filter((document) => document.kind === 'observation').map((document) => document._id.slice(0, 26));
  try {
    const { rows } = await view('main', 'by_observer', { startkey: [uid, last], endkey: [uid], descending: true, reduce: false, limit: ROWS });
    return [...new Set([...here, ...rows.map((row) => row.key[1])])];
  } catch (error) {
    if (!error.offline) throw error;
    return here;
  }
}

async function load(uid) {
  const ids = (await mineIds(uid)).sort().reverse().slice(0, ROWS), pending = await pendingIds();
  const wholes = (await Promise.all(ids.map((obs) => readWhole(obs).catch(() => null)))).filter((whole) => whole?.observation);
  const renamed = await changes(wholes);
  return wholes.map((whole) => ({ whole, before: renamed.get(whole.obs), state: refusedOf(whole) ? 'refused' : stateOf(whole, pending) }));
}

const refusedOf = (whole) => Object.entries(sync.value.refused).find(([id]) => id.startsWith(`${whole.obs}:`));

function One({ whole, state, before }) {
  const { observation, identification, consensus } = whole, taxon = consensus?.taxon || identification?.best?.taxon, refused = refusedOf(whole);
  return (
    <li class="tile">
      <a href={link.observation(whole.obs)}>
        <div class="tile-picture"><Picture whole={whole} view={observation.views[0]} index={0} size="thumb" /></div>
        <div class="tile-text">
          <p class="tile-name">{taxon ? <TaxonName id={taxon} /> : t('mine.unnamed')}</p>
          <p class="small">{day(observation.observed_at || timeOf(whole.obs))}</p>
          <StateBadge state={state} />
          {before && <p class="small changed">{t('mine.changed')} <TaxonName id={before} common={false} /></p>}
        </div>
      </a>
      {refused && (
        <p class="problem"><Icon name="warning" size={16} />{t('mine.refused', { reason: refused[1] })}
          <Button kind="link" onClick={() => sendAgain([refused[0]])}>{t('again')}</Button></p>
      )}
    </li>
  );
}

function List({ uid }) {
  const state = useCell(sync), { value, error, reload } = useLoaded(() => load(uid), [uid, state.pending, state.sent, Object.keys(state.refused).length]);
  useEffect(() => follow({ observer: uid }, reload), [uid]);
  if (error && !value) return <Failure error={error} again={reload} />;
  if (!value) return <Waiting />;
  if (value.length === 0) return <Empty icon="camera" title={t('mine.none')}><a class="button primary" href="#/observe">{t('observe.title')}</a></Empty>;
  return (
    <>
      {state.pending > 0 && (
        <div class="notice">
          <Icon name="cloudOff" /><p>{t(navigator.onLine ? 'sync.pending' : 'mine.offline', { n: state.pending })}</p>
          <Button onClick={send}>{t('sync.now')}</Button>
        </div>
      )}
      <ul class="tiles">{value.map((one) => <One key={one.whole.obs} {...one} />)}</ul>
    </>
  );
}

export default function Mine() {
  const { uid } = useCell(me);
  return <div class="page"><h1>{t('mine.title')}</h1>{uid ? <List uid={uid} /> : <p><a href="#/signin?then=/mine">{t('signin')}</a></p>}</div>;
}
