/* What people say to each other about an observation, and asking a moderator to look. */
import { useState } from 'preact/hooks';
import { moment, t } from '../i18n/index.js';
import { link } from '../router.js';
import { useCell } from '../state.js';
import { me } from '../store/session.js';
import { comment, flag, withdraw } from '../store/writing.js';
import { Button, Dialog } from './bits.jsx';
import { Icon } from './icon.jsx';
import { say } from './toast.jsx';

const TEXT_MOST = 4000;
export const REASONS = ['not-a-plant', 'person', 'not-own', 'offensive', 'other'];

function One({ one, who }) {
  return (
    <li class="comment">
      <p class="small"><a class="quiet" href={link.user(one.user)}>{one.user === who.uid ? t('consensus.you') : one.user.slice(0, 8)}</a> <time dateTime={one.created_at}>{moment(one.created_at)}</time>
        {one.user === who.uid && <Button kind="link" onClick={() => withdraw(one._id)}>{t('comment.remove')}</Button>}</p>
      <p class="comment-text">{one.text}</p>
    </li>
  );
}

function Write({ obs }) {
  const [text, setText] = useState('');
  const send = async (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    await comment(obs, text.trim());
    setText('');
  };
  return (
    <form class="write" onSubmit={send}>
      <label class="visually-hidden" for="comment">{t('comment.write')}</label>
      <textarea id="comment" rows={2} maxLength={TEXT_MOST} value={text} placeholder={t('comment.write')} onInput={(event) => setText(event.target.value)} />
      <button class="button" disabled={!text.trim()}>{t('comment.send')}</button>
    </form>
  );
}

export function FlagDialog({ whole, at, close }) {
  const [reason, setReason] = useState(REASONS[0]), [note, setNote] = useState('');
  const send = async (event) => {
    event.preventDefault();
    await flag(whole.obs, { reason, note: note.trim(), ...(reason === 'not-a-plant' ? {} : { image: whole.observation.views[at]?.image }) });
    say(t('flag.sent'));
    close();
  };
  return (
    <Dialog title={t('flag.title')} close={close}>
      <form class="form stack" onSubmit={send}>
        <fieldset class="choice"><legend>{t('flag.reason')}</legend>
          {REASONS.map((one) => <label key={one}><input type="radio" name="reason" value={one} checked={reason === one} onChange={() => setReason(one)} /><span>{t(`flag.${one}`)}</span></label>)}
        </fieldset>
        <label for="flag-note">{t('flag.note')}</label>
        <textarea id="flag-note" rows={2} maxLength={1000} value={note} onInput={(event) => setNote(event.target.value)} />
        <p class="help">{t('flag.public')}</p>
        <button class="button primary">{t('flag.send')}</button>
      </form>
    </Dialog>
  );
}

export function Together({ whole, at }) {
  const who = useCell(me), [flagging, setFlagging] = useState(false), mine = whole.flags.find((one) => one.user === who.uid);
  return (
    <section class="together">
      <h2>{t('comments')}</h2>
      {whole.comments.length > 0 && <ol class="comments">{whole.comments.map((one) => <One key={one._id} one={one} who={who} />)}</ol>}
      {who.uid ? <Write obs={whole.obs} /> : <p class="small">{t(whole.comments.length ? 'comments.signin' : 'comments.none')}</p>}
      {who.uid && (mine
        ? <p class="small"><Icon name="flag" size={16} /> {t('flag.mine', { reason: t(`flag.${mine.reason}`) })} <Button kind="link" onClick={() => withdraw(mine._id)}>{t('flag.withdraw')}</Button></p>
        : <p><Button kind="link" icon="flag" onClick={() => setFlagging(true)}>{t('flag.do')}</Button></p>)}
      {flagging && <FlagDialog whole={whole} at={at} close={() => setFlagging(false)} />}
    </section>
  );
}
