"""The style sheet of the pages, for light and dark, wide and narrow. Colours keep a contrast of at least 4.5 to 1."""

from typing import Final

STYLE: Final = """
body{--line:#c4ccd6;--soft:#55606e;--card:#fff;--good:#1e7a3c;--warn:#8a5a00;--bad:#b3261e;--info:#1f5f8b;--mark:#fff1d0;
background:#f4f6f8;color:#1d2530}
body.body--dark{--line:#3b4652;--soft:#a7b1bd;--card:#1c2229;--good:#7fd49a;--warn:#f0c063;--bad:#ffb4ab;--info:#8cc6ee;
--mark:#4a3a12;background:#12161b;color:#e8ecf1}
.skerry-head{background:#17405e;color:#fff;align-items:center;gap:.25rem;padding:.25rem .5rem;flex-wrap:nowrap}
.skerry-name{color:#fff!important;text-decoration:none;font-weight:700;font-size:1.15rem}
.skerry-who{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.skerry-menu{padding:.5rem 0;background:var(--card)}
.skerry-item{display:flex;align-items:center;gap:1rem;padding:.75rem 1rem;color:inherit;text-decoration:none}
.skerry-item:hover{background:color-mix(in srgb,var(--info) 10%,transparent)}
.skerry-here{background:color-mix(in srgb,var(--info) 18%,transparent);font-weight:600}
.nicegui-content{padding:0;width:100%}
.skerry-main{width:100%;max-width:84rem;margin:0 auto;padding:1rem}
.skerry-title{font-size:1.6rem;font-weight:700;line-height:1.2;margin:.25rem 0 1rem}
.skerry-middle,.skerry-live{gap:1rem}
.w-full{width:100%}
.skerry-card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem;width:100%}
.skerry-strong{font-weight:650;font-size:1.1rem}
.skerry-soft{color:var(--soft)}
.skerry-row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;width:100%}
.skerry-grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1rem;width:100%}
.skerry-badge{border:1.5px solid currentColor;border-radius:999px;padding:.05rem .6rem;font-weight:600;white-space:nowrap}
.skerry-positive{color:var(--good)}.skerry-warning{color:var(--warn)}.skerry-negative{color:var(--bad)}
.skerry-info{color:var(--info)}.skerry-grey{color:var(--soft)}
.skerry-pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.6rem 1.25rem;margin:.75rem 0 0}
.skerry-pairs dt{color:var(--soft);font-size:.85rem}.skerry-pairs dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.skerry-notice{align-items:center;
text-align:center;padding:2.5rem 1rem;border:1.5px dashed var(--line);border-radius:12px;width:100%}
.skerry-reason{border-left:4px solid var(--warn);padding:.25rem .75rem;margin:.5rem 0 0}
.skerry-chart{height:15rem;width:100%}
.skerry-scroll{overflow-x:auto;width:100%;background:var(--card);border:1px solid var(--line);border-radius:12px}
.skerry-table{border-collapse:collapse;width:100%;text-align:left}
.skerry-table th{color:var(--soft);font-size:.85rem;font-weight:600}
.skerry-table th,.skerry-table td{
padding:.5rem .75rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
.skerry-table tr:last-child td{border-bottom:0}
.skerry-code{font-family:ui-monospace,monospace;font-size:.9rem;white-space:pre-wrap;overflow-wrap:break-word}
.skerry-changed{background:var(--mark);font-weight:600}
.skerry-absent{color:var(--soft);font-style:italic}
.skerry-link{color:var(--info)!important}
a:focus-visible,button:focus-visible{outline:3px solid #e59f1b;outline-offset:2px}
.q-field textarea{font-family:ui-monospace,monospace}
@media (max-width:640px){
.skerry-table thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.skerry-table,.skerry-table tbody,.skerry-table tr,.skerry-table td{display:block;width:100%}
.skerry-table tr{border-bottom:1px solid var(--line);padding:.4rem 0}.skerry-table tr:last-child{border-bottom:0}
.skerry-table td{border:0;padding:.2rem .75rem}
.skerry-table td::before{content:attr(data-title);display:block;
color:var(--soft);font-size:.8rem;font-weight:400;font-style:normal}
}
@media (prefers-reduced-motion:reduce){*{transition:none!important;animation:none!important}}
"""
