"""The landscapes of the demo and the examples, as data."""

from __future__ import annotations

from daemon.demo.painting import Ridge, Scene

LAKE = Scene(
    seed=12,
    sky=("#1d2452", "#56427e", "#c9607a", "#f79a67", "#ffd08a"),
    sun=(0.715, 0.53, 0.05),
    sun_colour="#fff0c4",
    stars=160,
    ridges=(
        Ridge(top=0.50, height=0.34, jagged=1, colour="#7d5c92", haze="#f2a27c"),
        Ridge(top=0.58, height=0.17, jagged=0.8, colour="#553c72", haze="#b9688a"),
        Ridge(top=0.645, height=0.05, jagged=0.4, colour="#33264f", haze="#4a2f5f", pines=90),
    ),
    water="#2a2350",
    front=(Ridge(top=0.97, height=0.12, jagged=0.1, colour="#120f26", haze="#0c0a1b", pines=26),),
)
"""A mountain lake at dusk."""

VALLEY = Scene(
    seed=31,
    sky=("#3f87c0", "#7fb7d8", "#cfe4e2", "#fdf0cf"),
    sun=(0.42, 0.30, 0.045),
    sun_colour="#fffbe6",
    ridges=(
        Ridge(top=0.46, height=0.22, jagged=1, colour="#8fb0c6", haze="#dfe6d8"),
        Ridge(top=0.56, height=0.14, jagged=0.7, colour="#6f9bb0", haze="#c3d8c8"),
        Ridge(top=0.66, height=0.12, jagged=0.15, colour="#4c8f86", haze="#93bf9d"),
        Ridge(top=0.77, height=0.14, jagged=0.05, colour="#2f7768", haze="#57997a", pines=60),
        Ridge(top=0.93, height=0.13, jagged=0.05, colour="#174f4b", haze="#103b3b", pines=46),
    ),
)
"""Green hills in the morning."""

NIGHT = Scene(
    seed=77,
    sky=("#050a1f", "#0b1c3f", "#16355f", "#2b5c80"),
    sun=(1.30, 0.24, 0.055),
    sun_colour="#eef3ff",
    stars=420,
    ridges=(
        Ridge(top=0.58, height=0.26, jagged=1, colour="#14304f", haze="#2a5573"),
        Ridge(top=0.72, height=0.14, jagged=0.5, colour="#0d2340", haze="#17395a"),
        Ridge(top=0.86, height=0.12, jagged=0.1, colour="#071528", haze="#050e1c", pines=70),
    ),
)
"""Moonlight over the mountains."""

DUNES = Scene(
    seed=5,
    sky=("#f2b880", "#f7cf9b", "#fbe7c6"),
    sun=(0.95, 0.26, 0.06),
    sun_colour="#fffaf0",
    ridges=(
        Ridge(top=0.56, height=0.10, jagged=0.1, colour="#dd9a63", haze="#eebd84"),
        Ridge(top=0.68, height=0.16, jagged=0.0, colour="#c97c48", haze="#e3a268"),
        Ridge(top=0.84, height=0.20, jagged=0.0, colour="#a65a34", haze="#c67a48"),
        Ridge(top=1.00, height=0.18, jagged=0.0, colour="#7b3b27", haze="#93492d"),
    ),
)
"""Sand in the afternoon."""
