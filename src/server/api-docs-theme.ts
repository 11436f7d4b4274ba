/** The sign of the dashboard, with its name. */
export const DOCS_LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 230 32">
<rect width="32" height="32" rx="7" fill="#1f5fbf"/>
<path d="M4 20h5l4-10 6 14 4-9 2 5h3" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>
<text x="42" y="22" fill="#fff" font-family="system-ui, sans-serif" font-size="18" font-weight="600">datastream API</text>
</svg>`;

/** Without the name, for tabs of a browser. */
export const DOCS_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#1f5fbf"/>
<path d="M4 20h5l4-10 6 14 4-9 2 5h3" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>
</svg>`;

/** There is one description only: the field for the address of others goes. */
export const DOCS_STYLE = `
.swagger-ui .topbar { background: #1a1f25; padding: 8px 0; }
.swagger-ui .topbar .download-url-wrapper { display: none; }
.swagger-ui .topbar .topbar-wrapper { justify-content: space-between; }
.swagger-ui .topbar .link img { height: 32px; }
.way-back { background: #1a1f25; padding: 8px 20px 0; font: 14px system-ui, sans-serif; }
.way-back a { color: #cfe0fb; }
.swagger-ui .info { margin: 24px 0; }
.swagger-ui .info .title { font-size: 26px; }
.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .opblock .opblock-summary-description {
  font-family: system-ui, sans-serif;
}
`;

/**
 * A link above the page, which is otherwise not ours: its own sign leads nowhere. It is a file, as the content security
 * policy takes no script inside of a page.
 */
export const DOCS_WAY_BACK = `
const link = document.createElement('a');
link.href = '/';
link.textContent = '← Back to the dashboard';
const bar = document.createElement('nav');
bar.className = 'way-back';
bar.append(link);
document.body.prepend(bar);
`;
