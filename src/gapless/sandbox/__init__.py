"""A server that speaks the vendor's REST API, over a made-up or a recorded market, with faults on demand."""

from gapless.sandbox.catalogue import BASELINE
from gapless.sandbox.faults import MIX, TOXICS, Fault
from gapless.sandbox.market import Dividend, Market, Split, Ticker
from gapless.sandbox.plants import Plant, PlantedMarket
from gapless.sandbox.process import Served, serve_in_process
from gapless.sandbox.profiles import PROFILES, Profile, Rate
from gapless.sandbox.replay import ReplayMarket
from gapless.sandbox.server import REALISTIC, Latency, Pinned, Sandbox
from gapless.sandbox.synthetic import SyntheticMarket

__all__ = [
    "BASELINE",
    "MIX",
    "PROFILES",
    "REALISTIC",
    "TOXICS",
    "Dividend",
    "Fault",
    "Latency",
    "Market",
    "Pinned",
    "Plant",
    "PlantedMarket",
    "Profile",
    "Rate",
    "ReplayMarket",
    "Sandbox",
    "Served",
    "Split",
    "SyntheticMarket",
    "Ticker",
    "serve_in_process",
]
