/* Signing in, and up where the site lets one. */
import { useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { Icon } from '../parts/icon.jsx';
import { go } from '../router.js';
import { useCell } from '../state.js';
import { signIn, signUp, signUpOffered } from '../store/session.js';

const PASSWORD_LEAST = 8;

function reason(error, fresh) {
  if (error.offline) return t('error.offline');
  if (error.status === 401) return t('signin.wrong');
  if (fresh && error.status === 409) return t('signup.taken');
  if (error.status === 429) return t('signin.often');
  return error.message;
}

export default function SignIn({ query }) {
  const offered = useCell(signUpOffered), fresh = offered && query.has('new');
  const [busy, setBusy] = useState(false), [problem, setProblem] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target), name = form.get('name').trim(), password = form.get('password');
    setBusy(true);
    setProblem(null);
    try {
      await (fresh ? signUp : signIn)(name, password);
      go(query.get('then') || '/', { replace: true });
    } catch (error) {
      setProblem(reason(error, fresh));
      setBusy(false);
    }
  };
  return (
    <div class="page narrow">
      <h1>{t(fresh ? 'signup' : 'signin')}</h1>
      <p class="lead">{t(fresh ? 'signup.lead' : 'signin.lead')}</p>
      <form class="card form" onSubmit={submit}>
        <label for="name">{t('signin.name')}</label>
        <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={128} />
        <label for="password">{t('signin.password')}</label>
        <input id="password" name="password" type="password" autocomplete={fresh ? 'new-password' : 'current-password'} required
          minLength={fresh ? PASSWORD_LEAST : 1} aria-describedby={fresh ? 'password-help' : undefined} />
        {fresh && <p id="password-help" class="help">{t('signup.password', { n: PASSWORD_LEAST })}</p>}
        {problem && <p class="problem" role="alert"><Icon name="warning" size={18} />{problem}</p>}
        <button class="button primary wide" disabled={busy}>{t(fresh ? 'signup.do' : 'signin')}</button>
      </form>
      {offered && (
        <p class="beside">
          {fresh ? <a href="#/signin">{t('signin.instead')}</a> : <a href="#/signin?new=1">{t('signup.instead')}</a>}
        </p>
      )}
    </div>
  );
}
