/* Flags, for moderators: what, why, and the two things to do about it. */
import { useState } from 'preact/hooks';
import { moment, t } from '../i18n/index.js';
import { link } from '../router.js';
import { useLoaded } from '../state.js';
import { dismiss, flags, takeDown } from '../store/moderation.js';
import { Button, Dialog, Failure } from './bits.jsx';
import { say } from './toast.jsx';

export function Flags() {
  const { value, error, reload } = useLoaded(flags, []), [asked, setAsked] = useState(null);
  const run = (act, flag, text) => act(flag).then(() => { say(t(text)); setAsked(null); reload(); }, (problem) => say(t('error.reading', { reason: problem.message })));
  if (error && !value) return <Failure error={error} again={reload} />;
  if (!value?.length) return <p class="small">{t('flags.none')}</p>;
  return (
    <ul class="letters">
      {value.map((flag) => (
        <li key={flag.id}>
          <div><p><b>{t(`flag.${flag.reason}`)}</b> <a href={link.observation(flag.obs)}>{flag.obs}</a> <span class="small">{moment(flag.at)}</span></p>{flag.note && <p class="small">{flag.note}</p>}</div>
          <div class="row"><Button onClick={() => run(dismiss, flag, 'flags.dismissed')}>{t('flags.dismiss')}</Button><Button icon="trash" onClick={() => setAsked(flag)}>{t('flags.takedown')}</Button></div>
        </li>
      ))}
      {asked && (
        <Dialog title={t('flags.takedown')} close={() => setAsked(null)}>
          <p>{t('flags.takedown.text')}</p>
          <div class="row"><Button kind="danger" icon="trash" onClick={() => run(takeDown, asked, 'flags.taken')}>{t('flags.takedown')}</Button><Button onClick={() => setAsked(null)}>{t('cancel')}</Button></div>
        </Dialog>
      )}
    </ul>
  );
}
