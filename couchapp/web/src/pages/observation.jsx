/* An observation: its pictures, what the machine and the community say, and how that came about. Changes as it changes. */
import { useEffect, useState } from 'preact/hooks';
import { day, metres, place, t } from '../i18n/index.js';
import { Button, Dialog, Empty, Failure, StateBadge, Waiting } from '../parts/bits.jsx';
import { Disagreement, needsAsking } from '../parts/disagreement.jsx';
import { History } from '../parts/history.jsx';
import { Together } from '../parts/together.jsx';
import { say } from '../parts/toast.jsx';
import { TaxonName } from '../parts/taxon.jsx';
import { Views } from '../parts/views.jsx';
import { VotePanel } from '../parts/votepanel.jsx';
import { Verdict, Votes, Why } from '../parts/consensus.jsx';
import { Similar, useAlike } from '../parts/similar.jsx';
import { Suggestions } from '../parts/suggestions.jsx';
import { go, link } from '../router.js';
import { useCell, useLoaded } from '../state.js';
import { timeOf } from '../store/ids.js';
import { follow } from '../store/live.js';
import { changed } from '../store/mine.js';
import { readWhole, stateOf } from '../store/observations.js';
import { looked } from '../store/news.js';
import { me } from '../store/session.js';
import { pendingIds, sync } from '../store/sync.js';
import { restore, vote, withdrawObservation } from '../store/writing.js';

function useWhole(obs) {
  const { sent, pending } = useCell(sync);
  const state = useLoaded(async (signal) => ({ whole: await readWhole(obs, { signal }), pending: await pendingIds() }), [obs, sent, pending]);
  useEffect(() => follow({ observation: obs }, state.reload), [obs]);
  useEffect(() => {
    const mine = ({ detail }) => detail.some((id) => id.startsWith(obs)) && state.reload();
    changed.addEventListener('written', mine);
    return () => changed.removeEventListener('written', mine);
  }, [obs]);
  return state;
}

function Facts({ whole }) {
  const { observation, consensus, identification } = whole, where = consensus?.location || observation.location;
  return (
    <dl class="about">
      <div><dt>{t('observe.when')}</dt><dd>{day(observation.observed_at || timeOf(whole.obs))}</dd></div>
      {where && <div><dt>{t('observe.where')}</dt><dd>{where.decimalLatitude === undefined ? t('place.withheld')
        : <>{place(where.decimalLatitude, where.decimalLongitude)}{where.coordinateUncertaintyInMeters && <span class="small"> ± {metres(where.coordinateUncertaintyInMeters)}</span>}</>}</dd></div>}
      <div><dt>{t('observer')}</dt><dd><a href={link.user(observation.observer)}>{observation.observer === me.value.uid ? t('consensus.you') : observation.observer.slice(0, 8)}</a></dd></div>
      {identification?.model && <div><dt>{t('model')}</dt><dd>{identification.model}</dd></div>}
      <div><dt>{t('licence')}</dt><dd>{observation.views[0].licence || '–'}</dd></div>
    </dl>
  );
}

function Withdraw({ whole, close }) {
  const withdraw = async () => {
    await withdrawObservation(whole);
    say(t('withdraw.done'));
    go('/mine');
  };
  return (
    <Dialog title={t('withdraw.title')} close={close}>
      <p>{t('withdraw.text')}</p>
      <div class="row"><Button kind="danger" icon="trash" onClick={withdraw}>{t('withdraw.do')}</Button><Button onClick={close}>{t('cancel')}</Button></div>
    </Dialog>
  );
}

/* What one says of it: signed in one votes; else one reads. */
function Say({ whole, at }) {
  const who = useCell(me), [asking, setAsking] = useState(null), found = useAlike(whole);
  const mine = whole.validations.find((one) => one.user === who.uid);
  const cast = async (what) => {
    setAsking(null);
    const before = await vote(whole.obs, { ...what, suggested: { shown: Boolean(whole.identification), rank: what.taxon ? (whole.identification?.species.findIndex((one) => one.taxon === what.taxon) ?? -1) + 1 : 0 } });
    say(t('vote.saved'), { action: t('undo'), run: () => restore(whole.obs, before) });
  };
  const choose = async (taxon) => ((await needsAsking(whole, taxon)) ? setAsking(taxon) : cast({ vote: 'taxon', taxon }));
  if (!who.uid) {
    return (
      <>
        <h2>{t('suggest.title')}</h2><Suggestions whole={whole} found={found} />
        <Similar found={found} />
        <section class="community"><h2>{t('consensus.title')}</h2><Verdict consensus={whole.consensus} /><Why consensus={whole.consensus} /><Votes consensus={whole.consensus} /></section>
        <p class="small"><a href={`#/signin?then=/o/${whole.obs}`}>{t('vote.signin')}</a></p>
      </>
    );
  }
  return (
    <>
      <VotePanel whole={whole} at={at} choose={choose} cast={cast} mine={mine} />
      {asking && <Disagreement whole={whole} taxon={asking} cast={cast} close={() => setAsking(null)} />}
    </>
  );
}

export default function Observation({ parts }) {
  const obs = parts[1], who = useCell(me), { value, error, reload } = useWhole(obs), [at, setAt] = useState(0), [leaving, setLeaving] = useState(false);
  useEffect(() => { if (value?.whole?.observation?.observer === who.uid) looked(value.whole); }, [value]);
  if (error && !value) return <div class="page"><Failure error={error} again={reload} /></div>;
  if (!value) return <Waiting />;
  const { whole, pending } = value;
  if (!whole?.observation) return <div class="page"><Empty title={t('observation.gone')} /></div>;
  const taxon = whole.consensus?.taxon || whole.identification?.best?.taxon;
  return (
    <div class="page observation">
      <div class="title-line">
        <h1>{taxon ? <TaxonName id={taxon} linked /> : t('mine.unnamed')}</h1>
        <StateBadge state={stateOf(whole, pending)} />
      </div>
      <article class="desk">
        <div class="desk-views">
          <Views whole={whole} at={Math.min(at, whole.observation.views.length - 1)} choose={setAt} />
          <Facts whole={whole} />
        </div>
        <div class="desk-panel"><Say whole={whole} at={at} /></div>
      </article>
      <Together whole={whole} at={at} />
      <History whole={whole} />
      {whole.observation.observer === who.uid && <p><Button kind="link" icon="trash" onClick={() => setLeaving(true)}>{t('withdraw')}</Button></p>}
      {leaving && <Withdraw whole={whole} close={() => setLeaving(false)} />}
    </div>
  );
}
