import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/streams.css';
import './styles/chart.css';
import './styles/pages.css';
import { App } from './app.tsx';
import { followLinks } from './router/location.ts';
import { followTheme } from './state/theme.ts';

followTheme();
followLinks();
render(<App />, document.getElementById('app')!);
