"""gapless: all the market bars you asked for, and a proof of which of them exist."""
