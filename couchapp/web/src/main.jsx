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
import { begun } from './store/begun.js';
import { exchange } from './store/http.js';
import { checkSession, findSignUp, me } from './store/session.js';
import { findSite } from './store/site.js';

const SETTLED_MS = 2000; // after the page was drawn

/* The page is drawn before anybody has answered: a slow store delays what it has to say, never the page. */
async function start() {
  followTheme();
  startRouter();
  fetchPage(route.value.parts[0]); // comes while the first words are drawn
  await Promise.all([findSite(askOnce), startLanguage()]);
  render(<App />, document.getElementById('app'));
  await checkSession();
  if (!me.value.name) findSignUp();
  const { startSync } = await import('./store/sync.js');
  startSync();
  if ('serviceWorker' in navigator) setTimeout(keepFiles, SETTLED_MS);
}

const askOnce = async (path) => await begun(path) || exchange(path);

/* The service worker fetches all of the app's files, which is many times what a first page needs: that has the network to itself. */
const keepFiles = () => navigator.serviceWorker.register('./sw.js').catch(() => { /* pages work without */ });

start();
