import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/streams.css';
import './styles/chart.css';
import './styles/pages.css';
import './styles/admin.css';
import { App } from './app.tsx';
import { followLinks } from './router/location.ts';
import { syncPreferences } from './state/preferences-sync.ts';
import { followTheme } from './state/theme.ts';

followTheme();
followLinks();
syncPreferences();
render(<App />, document.getElementById('app')!);
