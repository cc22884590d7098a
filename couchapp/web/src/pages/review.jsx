/* Review: one observation at a time, a vote by one key or one tap, undo, next. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { day, place, t } from '../i18n/index.js';
import { Button, Dialog, Empty, Failure, Waiting } from '../parts/bits.jsx';
import { Disagreement, needsAsking } from '../parts/disagreement.jsx';
import { Icon } from '../parts/icon.jsx';
import { QueueFilter } from '../parts/queuefilter.jsx';
import { VotePanel } from '../parts/votepanel.jsx';
import { LastVote } from '../parts/lastvote.jsx';
import { Views } from '../parts/views.jsx';
import { say } from '../parts/toast.jsx';
import { link } from '../router.js';
import { useCell, useLoaded } from '../state.js';
import { me } from '../store/session.js';
import { forget, here, loadQueue, prefetch, whole as readAhead } from '../store/queue.js';
import { follow } from '../store/live.js';
import { restore, vote } from '../store/writing.js';

/* An observation of the queue, whole, read again when something of it changes. */
function useObservation(obs) {
  const state = useLoaded(() => readAhead(obs), [obs], here(obs));
  useEffect(() => follow({ observation: obs }, () => { forget(obs); state.reload(); }), [obs]);
  return state.value?.obs === obs ? state : { loading: true };
}

function About({ whole }) {
  const { observation, consensus } = whole, where = consensus?.location || observation.location;
  return (
    <dl class="about">
      {observation.observed_at && <div><dt>{t('observe.when')}</dt><dd>{day(observation.observed_at)}</dd></div>}
      {where?.decimalLatitude !== undefined && <div><dt>{t('observe.where')}</dt><dd>{place(where.decimalLatitude, where.decimalLongitude)}</dd></div>}
      <div><dt>{t('observer')}</dt><dd><a href={link.user(observation.observer)}>{observation.observer.slice(0, 8)}</a></dd></div>
      <div><dt class="visually-hidden">{t('observation')}</dt><dd><a href={link.observation(whole.obs)}>{t('observation.open')}</a></dd></div>
    </dl>
  );
}

function Help({ close }) {
  const rows = [['1 – 5', 'keys.suggestion'], ['/', 'keys.search'], ['N', 'keys.notplant'], ['C', 'keys.cannot'], ['→', 'keys.next'], ['←', 'keys.back'], ['V', 'keys.view'], ['U', 'keys.undo'], ['?', 'keys.help']];
  return (
    <Dialog title={t('keys')} close={close}>
      <dl class="keys">{rows.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{t(text)}</dd></div>)}</dl>
    </Dialog>
  );
}

/* Keys work anywhere on the page but in a field or a dialog. */
function useKeys(actions) {
  const now = useRef(actions);
  now.current = actions;
  useEffect(() => {
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
      const run = now.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!run) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

/* What was suggested when the vote is cast goes with it. */
const suggestedWith = (whole, taxon) => {
  const shown = Boolean(whole.identification?.species.length);
  const rank = shown && taxon ? whole.identification.species.slice(0, 5).findIndex((one) => one.taxon === taxon) + 1 : 0;
  return { shown, rank, ...(whole.identification?.model ? { model: whole.identification.model } : {}) };
};

function Card({ obs, next, back, onVoted, undo, desk }) {
  const { value: whole, error, loading, reload } = useObservation(obs);
  const [at, setAt] = useState(0), [asking, setAsking] = useState(null), [help, setHelp] = useState(false), [views, setViews] = useState({});
  const search = useRef();
  useEffect(() => { setAt(0); setViews({}); }, [obs]);
  const cast = async (what) => {
    setAsking(null);
    const said = { ...what, ...(Object.keys(views).length ? { views } : {}), suggested: suggestedWith(whole, what.taxon) };
    next(); // the vote is safe here before the network knows of it; nobody waits
    onVoted({ obs, what: said, before: await vote(obs, said) });
  };
  const choose = async (taxon) => {
    if (await needsAsking(whole, taxon)) setAsking(taxon);
    else cast({ vote: 'taxon', taxon });
  };
  const species = whole?.identification?.species || [];
  const numbers = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [String(n), () => species[n - 1] && choose(species[n - 1].taxon)]));
  useKeys({
    ...numbers, n: () => whole && cast({ vote: 'not-a-plant' }), c: () => whole && cast({ vote: 'cannot-tell' }), u: undo,
    ArrowRight: next, ArrowLeft: back, '/': () => search.current?.focus(), '?': () => setHelp(true),
    v: () => whole && setAt((at + 1) % whole.observation.views.length),
  });
  if (error) return <Failure error={error} again={reload} />;
  if (loading && !whole) return <Waiting />;
  if (!whole?.observation) return <Empty title={t('observation.gone')}><Button onClick={next}>{t('review.next')}</Button></Empty>;
  const move = (
    <div class="desk-move">
      <Button icon="left" onClick={back} disabled={!desk.canBack}>{t('review.back')}</Button>
      <Button icon="keyboard" kind="plain" class="only-wide" onClick={() => setHelp(true)}>{t('keys')}</Button>
      <Button icon="right" kind="trailing" onClick={next}>{t('review.skip')}</Button>
    </div>
  );
  return (
    <article class="desk" data-obs={obs} aria-label={t('observation')}>
      <div class="desk-views"><Views whole={whole} at={Math.min(at, whole.observation.views.length - 1)} choose={setAt} /><About whole={whole} /></div>
      <div class="desk-panel">
        <VotePanel whole={whole} at={at} choose={choose} cast={cast} search={search} views={views} setViews={setViews} move={move} />
      </div>
      {asking && <Disagreement whole={whole} taxon={asking} cast={cast} close={() => setAsking(null)} />}
      {help && <Help close={() => setHelp(false)} />}
    </article>
  );
}

const wishOf = (query) => ({ by: query.get('by') || 'review', value: query.get('value') || '' });

function Desk({ query }) {
  const wish = wishOf(query), { value: queue, error, reload } = useLoaded((signal, told) => loadQueue(wish, told), [wish.by, wish.value]);
  const [at, setAt] = useState(0), [voted, setVoted] = useState([]);
  useEffect(() => setAt(0), [wish.by, wish.value]);
  useEffect(() => { if (queue) prefetch(queue, at); }, [queue, at]);
  const undo = async () => {
    const last = voted[voted.length - 1];
    if (!last) return;
    await restore(last.obs, last.before);
    setVoted((list) => list.slice(0, -1));
    setAt(Math.max(0, queue.indexOf(last.obs)));
    say(t('review.undone'));
  };
  if (error) return <Failure error={error} again={reload} />;
  if (!queue) return <Waiting />;
  const done = new Set(voted.map(({ obs }) => obs)), left = queue.filter((obs) => !done.has(obs)).length;
  const end = at >= queue.length;
  return (
    <>
      <div class="desk-head">
        <h1>{t('review.title')}</h1>
        <QueueFilter wish={wish} />
        <p class="small" role="status">{t('review.left', { n: left })}</p>
      </div>
      <LastVote last={voted[voted.length - 1]} undo={undo} />
      {wish.by === 'place' && !wish.value ? <Empty icon="pin" title={t('queue.where')} /> : end
        ? <Empty icon="check" title={t('review.done')}><p>{t('review.done.text')}</p><Button onClick={() => { setAt(0); reload(); }}>{t('review.again')}</Button></Empty>
        : <Card key={queue[at]} obs={queue[at]} next={() => setAt((n) => Math.min(n + 1, queue.length))} back={() => setAt((n) => Math.max(0, n - 1))}
            undo={undo} desk={{ canBack: at > 0 }} onVoted={(one) => setVoted((list) => [...list, one])} />}
    </>
  );
}

export default function Review({ query }) {
  const who = useCell(me);
  if (!who.uid) {
    return (
      <div class="page narrow">
        <h1>{t('review.title')}</h1>
        <p class="lead">{t('review.signin')}</p>
        <a class="button primary" href="#/signin?then=/review"><Icon name="user" size={18} /><span>{t('signin')}</span></a>
      </div>
    );
  }
  return <div class="page review"><Desk query={query} /></div>;
}
