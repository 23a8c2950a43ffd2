"""The page that asks for a token: plain HTML without a script, so that nothing else is served to strangers."""

import html
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark;--paper:#f4f6f8;--card:#fff;--ink:#1d2530;--soft:#55606e;--line:#c4ccd6;--main:#1f5f8b}
@media (prefers-color-scheme:dark){:root{--paper:#12161b;--card:#1c2229;
--ink:#e8ecf1;--soft:#a7b1bd;--line:#3b4652;--main:#6db3e2}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;padding:1rem}
main{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:2rem;width:min(24rem,100%)}
h1{margin:0 0 .25rem;font-size:1.5rem}p{margin:.25rem 0 1rem;color:var(--soft)}
label{display:block;font-weight:600;margin-bottom:.25rem}
input,button{width:100%;font:inherit;padding:.65rem .75rem;border-radius:8px;border:1px solid var(--line)}
input{background:var(--paper);color:var(--ink)}
button{margin-top:1rem;background:var(--main);color:var(--card);border:0;font-weight:600;cursor:pointer}
input:focus-visible,button:focus-visible{outline:3px solid var(--main);outline-offset:2px}
[role=alert]{color:#b3261e;font-weight:600}
@media (prefers-color-scheme:dark){[role=alert]{color:#ffb4ab}}
"""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}


def login_page(problem: str | None = None) -> str:
    """Return the page, with what was wrong the last time."""
    alert = "" if problem is None else f'<p role="alert">{html.escape(problem)}</p>'
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in · skerry</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>
<body><main><h1>skerry</h1><p>The dashboard of this node.</p>{alert}
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Log in</button></form></main></body></html>"""


def notice_page(text: str) -> str:
    """Return a page that says one thing."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>skerry</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>
<body><main><h1>skerry</h1><p>{html.escape(text)}</p></main></body></html>"""
