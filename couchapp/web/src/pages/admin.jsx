/* Admin: who works and how far behind, what failed for good with another try, models, requests for training. */
import { useEffect, useState } from 'preact/hooks';
import { fixed, moment, number, percent, t } from '../i18n/index.js';
import { Button, Failure, Waiting } from '../parts/bits.jsx';
import { Chart } from '../parts/chart.jsx';
import { Icon } from '../parts/icon.jsx';
import { say } from '../parts/toast.jsx';
import { link } from '../router.js';
import { useCell, useLoaded } from '../state.js';
import { isAdmin, me } from '../store/session.js';
import { isAlive, overview, retry, sample } from '../store/operations.js';
import { Flags } from '../parts/flags.jsx';

const EVERY_MS = 5000, KEPT = 240, LETTERS_SHOWN = 50;

/* Samples of lag and throughput since the page was opened: { "group/stage": {lag: [s[], ms[]], rate: [s[], per second[]]} }. */
function gather(history, workers, now) {
  const next = { ...history };
  for (const [name, { lag, processed }] of Object.entries(sample(workers))) {
    const old = next[name] || { at: null, lag: [[], []], rate: [[], []] };
    const keep = ([times, values], value) => [[...times, now].slice(-KEPT), [...values, value].slice(-KEPT)];
    const passed = old.at ? Math.max(0.001, now - old.at) : null, rate = passed ? Math.max(0, processed - old.processed) / passed : 0;
    next[name] = { at: now, processed, lag: keep(old.lag, lag), rate: keep(old.rate, rate) };
  }
  return next;
}

function useOperations() {
  const { value, error, reload } = useLoaded(overview, []), [history, setHistory] = useState({});
  useEffect(() => { if (value) setHistory((old) => gather(old, value.workers, Date.now() / 1000)); }, [value]);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return { value, error, reload, history };
}

function Workers({ workers }) {
  if (workers.length === 0) return <p class="problem"><Icon name="warning" />{t('admin.noworker')}</p>;
  return (
    <div class="scroll"><table>
      <thead><tr><th scope="col">{t('admin.worker')}</th><th scope="col">{t('admin.groups')}</th><th scope="col">{t('admin.heard')}</th></tr></thead>
      <tbody>
        {workers.map((worker) => (
          <tr key={worker._id}>
            <td><span class={`dot ${isAlive(worker) ? 'alive' : ''}`} /> {worker.host || worker._id.slice(7)}<span class="small"> {worker.version} {!isAlive(worker) && t(worker.stopped ? 'admin.stopped' : 'admin.silent')}</span></td>
            <td>{Object.entries(worker.groups || {}).map(([name, { standby, why }]) => <span key={name} class="badge" title={why}>{name}{standby && ` (${t('admin.standby')})`}</span>)}</td>
            <td class="small">{moment(worker.at)}</td>
          </tr>
        ))}
      </tbody>
    </table></div>
  );
}

function Charts({ history }) {
  return (
    <div class="charts">
      {Object.entries(history).map(([name, { lag, rate }]) => (
        <figure key={name}>
          <figcaption>{name.split('/')[1]} <span class="small">{name.split('/')[0]}</span></figcaption>
          <p class="small">{t('admin.lag')} <b>{number(lag[1].at(-1) || 0)} ms</b></p><Chart rows={lag} label={`${name}, ${t('admin.lag')}`} />
          <p class="small">{t('admin.rate')} <b>{fixed(rate[1].at(-1) || 0, 1)}/s</b></p><Chart rows={rate} label={`${name}, ${t('admin.rate')}`} />
        </figure>
      ))}
    </div>
  );
}

function Letters({ letters, reload }) {
  const [busy, setBusy] = useState(null);
  const again = async (list) => {
    setBusy(list.length === 1 ? list[0]._id : 'all');
    try {
      for (const letter of list) await retry(letter);
      say(t('admin.retried', { n: list.length }));
    } catch (error) {
      say(t('error.reading', { reason: error.message }));
    }
    setBusy(null);
    reload();
  };
  if (letters.length === 0) return <p class="small">{t('admin.noletters')}</p>;
  return (
    <>
      <ul class="letters">
        {letters.slice(0, LETTERS_SHOWN).map((letter) => (
          <li key={letter._id}>
            <div><p><b>{letter.stage}</b> <a href={link.observation(letter.id.slice(0, 26))}>{letter.id.slice(0, 26)}</a> <span class="small">{moment(letter.at)}</span></p><p class="small">{letter.reason}</p></div>
            <Button icon="undo" disabled={busy !== null} onClick={() => again([letter])}>{t('admin.retry')}</Button>
          </li>
        ))}
      </ul>
      {letters.length > 1 && <p><Button disabled={busy !== null} onClick={() => again(letters)}>{t('admin.retryall', { n: letters.length })}</Button></p>}
    </>
  );
}

function Models({ models }) {
  const figure = (value) => (typeof value === 'number' ? percent(value) : '–');
  return (
    <div class="scroll"><table>
      <thead><tr><th scope="col">{t('model')}</th><th scope="col" class="number">{t('admin.labels')}</th><th scope="col" class="number">top 1</th><th scope="col" class="number">top 5</th></tr></thead>
      <tbody>{models.map(({ name, version, labels, accuracy }) => <tr key={`${name}@${version}`}><td>{name}@{version}</td><td class="number">{number(labels)}</td><td class="number">{figure(accuracy?.macro_top1)}</td><td class="number">{figure(accuracy?.macro_top5)}</td></tr>)}</tbody>
    </table></div>
  );
}

function Retrainings({ list }) {
  if (list.length === 0) return <p class="small">{t('admin.noretraining')}</p>;
  return <ul class="letters">{list.map((one) => <li key={one._id}><div><p><b>{one.rule}</b> <span class="badge">{one.state}</span> <span class="small">{moment(one.raised_at)}</span></p><p class="small">{one.why}</p></div></li>)}</ul>;
}

export default function Admin() {
  const who = useCell(me);
  return isAdmin(who) ? <Operations /> : <div class="page narrow"><h1>{t('nav.admin')}</h1><p class="lead">{t('admin.only')}</p><a class="button primary" href="#/signin?then=/admin">{t('signin')}</a></div>;
}

function Operations() {
  const { value, error, reload, history } = useOperations();
  if (error && !value) return <div class="page"><Failure error={error} again={reload} /></div>;
  if (!value) return <Waiting />;
  const stat = (n, label, bad) => <div class={`stat ${bad ? 'bad' : ''}`}><b>{number(n)}</b><span>{label}</span></div>;
  return (
    <div class="page admin">
      <h1>{t('admin.title')}</h1>
      <div class="stats">
        {stat(value.workers.filter(isAlive).length, t('admin.alive'))}
        {stat(value.letters.length, t('admin.letters'), value.letters.length > 0)}
        {stat(value.retries, t('admin.waiting'))}
        {stat(value.grades.needs_review || 0, t('grade.needs_review'))}
        {stat(value.grades.research || 0, t('grade.research'))}
      </div>
      <section class="card"><h2>{t('admin.workers')}</h2><Workers workers={value.workers} /></section>
      <section class="card"><h2>{t('admin.stages')}</h2><Charts history={history} /></section>
      <div class="columns">
        <section class="card"><h2>{t('admin.letters')}</h2><Letters letters={value.letters} reload={reload} /></section>
        <div>
          <section class="card"><h2>{t('flags')}</h2><Flags /></section>
          <section class="card"><h2>{t('admin.models')}</h2><Models models={value.models} /></section>
          <section class="card"><h2>{t('admin.retrainings')}</h2><Retrainings list={value.retrainings} /></section>
        </div>
      </div>
    </div>
  );
}
