/* My account on this device: who I am, how the app looks, how pictures are sent. */
import { t } from '../i18n/index.js';
import { Button } from '../parts/bits.jsx';
import { go, link } from '../router.js';
import { change, settings } from '../settings.js';
import { useCell } from '../state.js';
import { me, signOut } from '../store/session.js';

function Choice({ name, options, value, onChange }) {
  return (
    <fieldset class="choice">
      <legend>{t(name)}</legend>
      {options.map((option) => (
        <label key={option}>
          <input type="radio" name={name} value={option} checked={value === option} onChange={() => onChange(option)} />
          <span>{t(`${name}.${option}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

export default function Account() {
  const who = useCell(me), wishes = useCell(settings);
  const roles = who.roles.filter((role) => !role.startsWith('u:')).map((role) => role.replace('_', ''));
  return (
    <div class="page narrow">
      <h1>{who.name || t('account.nobody')}</h1>
      {who.name && (
        <div class="card">
          <p>{roles.length ? t('account.roles', { roles: roles.join(', ') }) : t('account.observer')}</p>
          {who.uid ? <p class="small">{t('account.uid')} <code>{who.uid}</code></p> : <p class="small">{t('account.nouid')}</p>}
          <div class="row">
            {who.uid && <a class="button" href={link.user(who.uid)}>{t('account.page')}</a>}
            <Button icon="out" onClick={() => signOut().catch(() => {}).then(() => go('/'))}>{t('signout')}</Button>
          </div>
        </div>
      )}
      <div class="card form">
        <h2>{t('settings')}</h2>
        <Choice name="theme" options={['auto', 'light', 'dark']} value={wishes.theme} onChange={(theme) => change({ theme })} />
        <Choice name="publish" options={['exact', '0.2', 'withheld']} value={wishes.publish} onChange={(publish) => change({ publish })} />
        <label class="tick">
          <input type="checkbox" checked={wishes.resize} onChange={(event) => change({ resize: event.target.checked })} />
          <span>{t('settings.resize')}</span>
        </label>
      </div>
    </div>
  );
}
