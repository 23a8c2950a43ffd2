"""Charts of the last minutes of a link."""

from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.history import History, Points

_GREY: Final = "#808890"  # readable on light and on dark
_COLOURS: Final = ("#2f7fb8", "#c9781a")


class LinkCharts:
    """Three charts that `update` brings up to date."""

    def __init__(self, history: History) -> None:
        self._history = history
        with ui.element("div").classes("skerry-grid"):
            self._charts = [_chart(title, names, unit) for title, names, unit in _TITLES]
        self.update()

    def update(self) -> None:
        history = self._history
        series = (
            (history.pushed_per_second(), history.pulled_per_second()),
            (history.queue(),),
            (history.push_lag_seconds(), history.pull_lag_seconds()),
        )
        for chart, lines in zip(self._charts, series, strict=True):
            for place, points in zip(chart.options["series"], lines, strict=True):
                place["data"] = points
            chart.update()


_TITLES: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("Documents per second", ("sent", "taken"), ""),
    ("Waiting to be sent", ("documents",), ""),
    ("Lag", ("oldest local write", "hub last heard"), " s"),
)


def _chart(title: str, names: tuple[str, ...], unit: str) -> ui.echart:
    lines: list[dict[str, Any]] = [
        {
            "name": name,
            "type": "line",
            "showSymbol": False,
            "data": _none(),
            "color": colour,
            "lineStyle": {"type": kind},
        }
        for name, colour, kind in zip(names, _COLOURS, ("solid", "dashed"))
    ]
    with ui.element("section").classes("skerry-card").props(f'aria-label="{title}"'):
        ui.label(title).classes("skerry-strong")
        return ui.echart(
            {
                "animation": False,
                "grid": {"left": 8, "right": 12, "top": 32, "bottom": 8, "containLabel": True},
                "legend": {"top": 0, "textStyle": {"color": _GREY}},
                "tooltip": {"trigger": "axis"},
                "xAxis": {"type": "time", "axisLabel": {"color": _GREY, "hideOverlap": True}},
                "yAxis": {
                    "type": "value",
                    "min": 0,
                    "minInterval": 1 if len(names) == 1 else 0,
                    "axisLabel": {"color": _GREY, "formatter": f"{{value}}{unit}"},
                    "splitLine": {"lineStyle": {"color": _GREY, "opacity": 0.25}},
                },
                "series": lines,
            },
            renderer="svg",
        ).classes("skerry-chart")


def _none() -> Points:
    return []
