import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import { render } from 'preact';
import { App, fetchPage } from './app.jsx';
import { startLanguage } from './i18n/index.js';
import { route, startRouter } from './router.js';
import { followTheme } from './settings.js';
import { checkSession, findSignUp, me } from './store/session.js';
import { findSite } from './store/site.js';

/* The page is drawn before anybody has answered: a slow store delays what it has to say, never the page. */
async function start() {
  followTheme();
  startRouter();
  fetchPage(route.value.parts[0]); // comes while the first words are drawn
  await Promise.all([findSite(), startLanguage()]);
  render(<App />, document.getElementById('app'));
  await checkSession();
  if (!me.value.name) findSignUp();
  const { startSync } = await import('./store/sync.js');
  startSync();
  if ('serviceWorker' in navigator) navigator.serviceWorker.register('./sw.js').catch(() => { /* pages work without */ });
}

start();
