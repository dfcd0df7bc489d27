"""What every test shares: hypothesis keeps no stopwatch, since machines differ."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
